"""Send a report to everybody who has not had it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from clickstream_dagster.reports import deliveries
from clickstream_dagster.reports.channels import Refused, Unknown, connected, hand_in, mail, publish
from clickstream_dagster.reports.making import NoPdf, Report, printed
from clickstream_dagster.reports.periods import ReportPeriod, ended
from clickstream_dagster.settings import Reports
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction

#: The first local day that has events, as the dashboard knows it, and the last one that is loaded whole.
_DAYS = """
    select (select min(local_date) from agg_daily_traffic), (complete_to at time zone timezone)::date - 1
    from data_freshness cross join shop_settings
"""


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
    """The periods that are over, loaded to their end, and not yet with everybody, as far as is known; and why others are not
    due."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    first, loaded = _days(connection)
    found: list[ReportPeriod] = []
    waiting: list[str] = []
    for period in (ended(kind, today) for kind in reports.kinds):
        if deliveries.settled(connection, period.name).issuperset(_recipients(reports)):
            continue
        if loaded is None or loaded < period.end:
            waiting.append(f"{period.title} is not loaded to its end. Run: clickstream materialize")
        elif first is None or period.end < first:
            waiting.append(f"{period.title} ended before the first event.")
        else:
            found.append(period)
    return found, waiting


def send(
    stack: Stack, reports: Reports, report: Report, *, again: bool = False, told: Callable[[str], None] = lambda _: None
) -> Outcome:
    """Send it to whoever has not had it; with `again` to everybody. One who is refused does not keep it from the others."""
    outcome, period = Outcome(), report.period.name
    copy = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}" if again else None
    with stack.warehouse() as connection, ExitStack() as open_until_done:
        if again:
            for recipient in _recipients(reports):
                deliveries.forget(connection, period, recipient)
        earlier = deliveries.begun(connection, period)
        wanted = [recipient for recipient in _recipients(reports) if recipient not in earlier]
        outcome.unknown = {
            name: "another run is sending it, or was stopped while it did"
            for name in _recipients(reports)
            if earlier.get(name) is False
        }
        try:
            for recipient, way in _ways(reports, report, wanted, copy, open_until_done, told):
                _deliver(connection, period, recipient, way, outcome)
        except Refused as nobody:
            outcome.refused = {recipient: str(nobody) for recipient in wanted if recipient not in outcome.sent}
    return outcome


def _ways(
    reports: Reports,
    report: Report,
    wanted: list[str],
    copy: str | None,
    open_until_done: ExitStack,
    told: Callable[[str], None],
) -> Iterator[tuple[str, Callable[[], None]]]:
    """For each recipient, what sends it."""
    if reports.topic in wanted:
        topic = reports.topic
        yield topic, lambda: publish(report, topic)
    addresses = [recipient for recipient in wanted if recipient in reports.recipients]
    if not addresses or reports.server is None:
        return
    pdf = None
    try:
        pdf = printed(report.html)
    except NoPdf as why:
        told(f"The mail has no PDF: {why}.")
    session = open_until_done.enter_context(connected(reports.server))
    for address in addresses:
        message = mail(report, pdf, reports.server.sender, address, copy)
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


def _days(connection: Connection) -> tuple[date | None, date | None]:
    with transaction(connection) as cursor:
        cursor.execute(_DAYS)
        return cursor.fetchone() or (None, None)
