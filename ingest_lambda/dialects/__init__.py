"""The words of other systems. `common` is what all dialects share; each other file is the table of one system."""
