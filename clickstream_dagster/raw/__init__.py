"""List and read raw hours, and decode them into events and rejects. Knows nothing of Dagster or of the warehouse."""
