"""`clickstream report`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from clickstream_dagster.cli.show import console, harmless
from clickstream_dagster.reports.making import NoPdf, NoReport, Report, make, printed
from clickstream_dagster.reports.periods import BadPeriod, ReportPeriod, ended, named
from clickstream_dagster.reports.sending import send
from clickstream_dagster.settings import Reports, SettingsError, load_reports, load_settings
from clickstream_dagster.stack import Stack

SUFFIXES = (".html", ".pdf", ".txt")


class NotSent(RuntimeError):
    """Somebody has not had the report; the message names them and says why."""


@click.command("report")
@click.option("--week", metavar="2026-W48", help="The week, Monday to Sunday. Default: the last one that is over.")
@click.option("--month", metavar="2026-10", help="The month.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file: .html, .pdf or .txt.")
@click.option("--send", "is_sent", is_flag=True, help="Send it to CLICKSTREAM_REPORT_TO, once to each address.")
@click.option("--again", is_flag=True, help="With --send: also to those who have had it.")
def report_command(week: str | None, month: str | None, out: Path | None, is_sent: bool, again: bool) -> None:
    """Report a week or a month: print it, write it to a file, or send it.

    The numbers are those of the dashboard, compared with as many days before. A PDF needs Chromium on this computer.
    """
    if week and month:
        raise click.UsageError("Name a week or a month, not both.")
    if again and not is_sent:
        raise click.UsageError("--again sends once more; it needs --send.")
    if out and out.suffix not in SUFFIXES:
        raise click.UsageError(f"--out {out} should end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    stack, reports = Stack(load_settings(), keeps_settings=True), load_reports()
    if is_sent and not reports.are_sent:
        raise SettingsError("Nobody is to have it. Set CLICKSTREAM_REPORT_TO, or CLICKSTREAM_REPORT_TOPIC.")
    made = make(stack, _period(stack, week, month), reports.dashboard)
    if out:
        _write(out, made)
    if is_sent:
        _send(stack, reports, made, again)
    if not out and not is_sent:
        click.echo("\n".join(harmless(line) for line in made.text.splitlines()))


def _period(stack: Stack, week: str | None, month: str | None) -> ReportPeriod:
    if name := week or month:
        period = named(name)
        if ("-W" in period.name) != bool(week):
            raise BadPeriod(f"--{'week' if week else 'month'} {name} names none; a week is 2026-W48, a month 2026-10.")
        return period
    return ended("weekly", datetime.now(ZoneInfo(stack.settings.timezone)).date())


def _write(out: Path, made: Report) -> None:
    if out.suffix == ".pdf":
        try:
            out.write_bytes(printed(made.html))
        except NoPdf as why:
            raise NoReport(f"No PDF: {why}. Mend that, or write HTML: --out report.html") from None
    else:
        out.write_text(made.html if out.suffix == ".html" else made.text, encoding="utf-8")
    console.print(f"{made.headline}\nWritten to {out}", soft_wrap=True, markup=False)


def _send(stack: Stack, reports: Reports, made: Report, again: bool) -> None:
    outcome = send(stack, reports, made, again=again, told=lambda said: console.print(said, style="yellow"))
    for recipient in outcome.sent:
        console.print(f"Sent to {recipient}: {made.headline}", soft_wrap=True, markup=False)
    if not outcome.sent and outcome.is_well:
        console.print(f"Everybody has had the report of {made.period.title}. To send it once more, add --again.")
    if not outcome.is_well:
        raise NotSent(outcome.sentence())
