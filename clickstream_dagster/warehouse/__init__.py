"""The PostgreSQL warehouse: connect, migrate, load raw hours, rebuild what has changed. Knows nothing of Dagster."""
