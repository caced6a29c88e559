"""The command group: it finds its commands, and turns our errors into one sentence with the next step."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings

import click

#: Command -> the module of `clickstream_dagster.cli` that holds it, and the line that --help shows.
COMMANDS = {
    "demo": ("demo", "Generate a shop's traffic, run the whole pipeline on it, and show the numbers."),
    "import": ("importing", "Bring in files of events: NDJSON, or CSV with a mapping."),
    "materialize": ("materializing", "Load hours and bring every table up to date."),
    "status": ("status", "The ledger per hour, freshness, and what is owed."),
    "sql": ("querying", "Run a read-only query on the warehouse."),
    "gateway": ("serving", "Serve the collector on this machine."),
    "serve": ("serving", "Serve the Dagster UI: lineage, partitions, backfills."),
    "env": ("serving", "Print the environment for Dagster's own commands."),
}

EPILOG = """
\b
Everything lives in CLICKSTREAM_HOME (default .clickstream): a PostgreSQL and a folder of raw objects.
Name your own servers instead with DW_PG_HOST, DW_PG_USER, DW_PG_PASSWORD, DW_PG_DATABASE and RAW_BUCKET_NAME.

\b
  clickstream demo                                  the whole way, on invented traffic
  clickstream import october.csv --map mapping.yml  your own history
  clickstream materialize                           load it
  clickstream sql "select * from agg_daily_traffic"
"""


class Commands(click.Group):
    """Imports a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"clickstream_dagster.cli.{COMMANDS[cmd_name][0]}")
        command = getattr(module, f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clickstream", prog_name="clickstream")
def cli() -> None:
    """Clickstream analytics for an online shop: your events, your Postgres."""


def main() -> None:
    """Entry point of the console script."""
    warnings.filterwarnings("ignore", module=r"platformdirs.*")
    logging.getLogger("dagster").setLevel(logging.ERROR)
    try:
        cli()
    except Exception as error:
        if not is_ours(error):
            raise
        click.echo(f"clickstream: {error}", err=True)
        sys.exit(1)


def is_ours(error: Exception) -> bool:
    """Errors whose message is written for the user: one clear sentence and the next step."""
    return type(error).__module__.startswith(("clickstream_dagster", "ingest_lambda"))
