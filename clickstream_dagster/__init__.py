"""The Dagster code location, the loader, the warehouse and the `clickstream` command."""
