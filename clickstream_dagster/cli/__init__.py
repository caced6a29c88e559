"""The `clickstream` command. One file for each command; nothing heavy is imported before it is needed."""

from clickstream_dagster.cli.main import main

__all__ = ["main"]
