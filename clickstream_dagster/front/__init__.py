"""The front of all that we serve: Dagster, the dashboard, and the gateway with its demo shop. No import of Dagster."""
