"""SQL that travels with the wheel: forward-only migrations, and one file for each model."""
