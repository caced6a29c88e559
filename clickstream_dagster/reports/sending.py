"""Send a report to everybody who has not had it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clickstream_dagster.reports import deliveries
from clickstream_dagster.reports.channels import Refused, Unknown, connected, hand_in, mail, publish
from clickstream_dagster.reports.making import Report, printed
from clickstream_dagster.reports.periods import ReportPeriod, ended
from clickstream_dagster.settings import Reports
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction

_LOADED = "select (complete_to at time zone timezone)::date - 1 from data_freshness cross join shop_settings"


@dataclass
class Outcome:
    """What became of one report: recipients by what is known. `refused` and `unknown` say why."""

    sent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """True when nobody has to look."""
        return not self.refused and not self.unknown

    def sentence(self) -> str:
        """Who has not had it, or may not, and what to do."""
        told = [f"Not sent to {recipient}: {why}. The next run tries again." for recipient, why in self.refused.items()]
        told += [
            f"It is not known whether {recipient} has it: {why}. Ask, or send it once more: clickstream report --send --again"
            for recipient, why in self.unknown.items()
        ]
        return " ".join(told)


def due(connection: Connection, reports: Reports, timezone: str, now: datetime) -> tuple[list[ReportPeriod], list[str]]:
    """The periods that are over, loaded to their end, and not yet with everybody; and why others must wait."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    loaded = _loaded(connection)
    found: list[ReportPeriod] = []
    waiting: list[str] = []
    for period in (ended(kind, today) for kind in reports.kinds):
        if not set(_recipients(reports)) - set(deliveries.begun(connection, period.name)):
            continue
        if loaded is None or loaded < period.end:
            waiting.append(f"{period.title} is not loaded to its end. Run: clickstream materialize")
        else:
            found.append(period)
    return found, waiting


def send(
    stack: Stack, reports: Reports, report: Report, *, again: bool = False, told: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Send it to whoever has not had it; with `again` to everybody. One who is refused does not keep it from the others."""
    outcome, period = Outcome(), report.period.name
    with stack.warehouse() as connection, ExitStack() as open_until_done:
        if again:
            for recipient in _recipients(reports):
                deliveries.forget(connection, period, recipient)
        earlier = deliveries.begun(connection, period)
        wanted = [recipient for recipient in _recipients(reports) if recipient not in earlier]
        outcome.unknown = {
            name: "another run is sending it, or was stopped while it did"
            for name, taken in earlier.items()
            if not taken
        }
        try:
            ways = _ways(reports, report, wanted, open_until_done, told)
            for recipient, way in ways:
                _deliver(connection, period, recipient, way, outcome)
        except Refused as nobody:
            outcome.refused = {recipient: str(nobody) for recipient in wanted if recipient not in outcome.sent}
    return outcome


def _ways(
    reports: Reports, report: Report, wanted: list[str], open_until_done: ExitStack, told: Callable[[str], None]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """For each recipient, what sends it."""
    if reports.topic in wanted:
        topic = reports.topic
        yield topic, lambda: publish(report, topic)
    addresses = [recipient for recipient in wanted if recipient in reports.recipients]
    if not addresses or reports.server is None:
        return
    pdf = printed(report.html)
    if pdf is None:
        told("No Chromium is installed: the mail has no PDF.")
    session = open_until_done.enter_context(connected(reports.server))
    for address in addresses:
        message = mail(report, pdf, reports.server.sender, address)
        yield address, lambda message=message: hand_in(session, message)  # type: ignore[misc]


def _deliver(connection: Connection, period: str, recipient: str, way: Callable[[], None], outcome: Outcome) -> None:
    if not deliveries.begin(connection, period, recipient):
        return  # another run was faster
    try:
        way()
    except Refused as refused:
        deliveries.forget(connection, period, recipient)
        outcome.refused[recipient] = str(refused)
    except Unknown as unknown:
        outcome.unknown[recipient] = str(unknown)
    else:
        deliveries.end(connection, period, recipient)
        outcome.sent.append(recipient)


def _recipients(reports: Reports) -> list[str]:
    return [*reports.recipients, *([reports.topic] if reports.topic else [])]


def _loaded(connection: Connection) -> date | None:
    """The last local day that is loaded whole."""
    with transaction(connection) as cursor:
        cursor.execute(_LOADED)
        row = cursor.fetchone()
    return row[0] if row else None
