"""The shop's own orders: read from its database or a file, kept, and compared with those that arrived by events."""
