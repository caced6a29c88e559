"""The embedded stack: PostgreSQL, folder store, HTTP gateway, importer, traffic generator."""
