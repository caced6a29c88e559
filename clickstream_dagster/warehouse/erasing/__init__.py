"""A visitor leaves the store and every table."""
