"""The front of all that we serve: Dagster, the dashboard, and the gateway. No import of Dagster."""
