"""The job: load hours, and bring every table up to date with them, and the tags that make a run of it one range. The job that
reads the shop's own orders. And the jobs that keep the store small: one packs raw objects, which changes no table, one takes out
what is older than the policy keeps. One writes the tables' closed hours as Parquet."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from clickstream_dagster.reports.making import NoReport, make
from clickstream_dagster.reports.periods import ReportPeriod, named
from clickstream_dagster.reports.sending import due, send
from clickstream_dagster.resources import Platform
from clickstream_dagster.settings import DAGSTER_LOCATION, Reports, load_reports
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.expiring.expire import expire
from clickstream_dagster.warehouse.expiring.policy import NoPolicy
from clickstream_dagster.warehouse.lake.hours import closed
from clickstream_dagster.warehouse.lake.write import write
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes

HOURLY_JOB = "hourly_clickstream"
#: Which hours a run of ours is for, in the list of runs.
HOURS_TAG = "clickstream/hours"


def asked_by(who: str) -> dict[str, str]:
    """The tag that says who asked for a run: CLI, tick, owed (a tick that pays for an hour before), schedule, sensor, or UI."""
    return {"clickstream/trigger": who}


hourly_clickstream = dg.define_asset_job(
    HOURLY_JOB,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("shop_orders"),
    description="Load one hour of raw objects, or a range of hours in one run, and rebuild what that changes.",
    run_tags=asked_by("UI"),  # whoever else asks says so
)

shop_books = dg.define_asset_job(
    "shop_books",
    selection=dg.AssetSelection.assets("shop_orders", "order_reconciliation", "daily_reconciliation"),
    description="Read the shop's own orders, and compare them with those that arrived by events.",
)


class PackConfig(dg.Config):
    """Which hours, both included, such as 2026-11-20T05:00Z. Without them every closed hour."""

    first_hour: str | None = None
    last_hour: str | None = None


@dg.op(
    description="Pack the small raw objects of closed hours, and delete those that old packs hold.", tags={"kind": "s3"}
)
def pack_closed_hours(context: dg.OpExecutionContext, config: PackConfig, platform: Platform) -> None:
    """As `clickstream pack` does."""
    stack = platform.stack
    start, end = (
        floor_hour(datetime.fromisoformat(text)) if text else None for text in (config.first_hour, config.last_hour)
    )
    with stack.warehouse() as connection:
        prefixes = packable_prefixes(connection, stack.store, start, end and end + HOUR)
        done = pack_hours(connection, stack.store, prefixes, timedelta(days=stack.settings.pack_grace_days))
    context.log.info(
        f"Packed {done.objects:,} objects into {done.packs:,} packs, deleted {done.deleted:,} that packs hold."
    )
    context.add_output_metadata({name: value for name, value in vars(done).items() if name != "broken"})
    if done.broken:
        raise dg.Failure(f"{len(done.broken):,} hours hold a broken pack, and all their objects stay: {done.broken[0]}")


@dg.job(
    description="Pack the raw objects of closed hours. Changes no table, so it may run at any time and be left out."
)
def raw_packs() -> None:
    """One step."""
    pack_closed_hours()


@dg.op(description="Write closed hours that have changed as Parquet.", tags={"kind": "parquet"})
def write_closed_hours(context: dg.OpExecutionContext, platform: Platform) -> None:
    """As `clickstream lake write` does."""
    stack = platform.stack
    with stack.warehouse() as connection:
        done = write(connection, stack.store, lambda hours: closed(connection, hours))
    context.log.info(f"Wrote {done.hours:,} hours of tables, {done.rows:,} rows; removed {done.removed:,} objects.")
    context.add_output_metadata(vars(done))


@dg.job(description="Write the lake. Changes no table, so it may run at any time and be left out.")
def open_lake() -> None:
    """One step."""
    write_closed_hours()


@dg.op(description="Remove raw objects, rejected events and events that are older than the policy keeps.")
def expire_what_is_old(context: dg.OpExecutionContext, platform: Platform) -> None:
    """As `clickstream expire` does."""
    stack = platform.stack
    try:
        with stack.warehouse() as connection:
            done = expire(connection, stack.server, stack.store, stack.settings, datetime.now(UTC))
    except NoPolicy as kept:
        context.log.info(str(kept))
        return
    counts = {
        "raw objects": done.raw.objects,
        "bytes": done.raw.object_bytes,
        "raw objects not loaded": done.raw.unloaded,
    }
    context.add_output_metadata({**counts, "rejected events": done.rejects, "events": done.events, "lines": done.lines})
    if done.raw.broken:
        raise dg.Failure(
            f"{len(done.raw.broken):,} days hold a broken pack, and stay in the store: {done.raw.broken[0]}"
        )


@dg.job(
    description="Take out what is older than CLICKSTREAM_KEEP_RAW_DAYS, CLICKSTREAM_KEEP_REJECTED_DAYS and "
    "CLICKSTREAM_KEEP_EVENTS_DAYS keep. The sums stay. May run at any time, beside anything."
)
def expiry() -> None:
    """One step."""
    expire_what_is_old()


class ReportConfig(dg.Config):
    """Of which weeks or months, such as 2026-W48 or 2026-10. Without them those that are due."""

    periods: list[str] = []  # noqa: RUF012  # pydantic copies it


@dg.op(description="Make the weekly and monthly reports that are due, and send each once to everybody.")
def send_due_reports(context: dg.OpExecutionContext, config: ReportConfig, platform: Platform) -> None:
    """As `clickstream report --send` does. Fails when somebody has to look; what became of each is in the metadata."""
    stack, reports = platform.stack, load_reports()
    with stack.warehouse() as connection:
        found, waiting = due(connection, reports, stack.settings.timezone, datetime.now(UTC))
    became: dict[str, str] = {}
    wrong: list[str] = []
    for period in [named(name) for name in config.periods] or found:
        is_well, became[period.name] = _send_report(stack, reports, period)
        wrong += [] if is_well else [became[period.name]]
    for sentence in (*became.values(), *waiting):
        context.log.info(sentence)
    if wrong:
        raise dg.Failure(" ".join(wrong), metadata=became)
    context.add_output_metadata(became)


def _send_report(stack: Stack, reports: Reports, period: ReportPeriod) -> tuple[bool, str]:
    """Whether nobody has to look, and what became of it. One that cannot be made does not keep the others."""
    notes: list[str] = []
    try:
        outcome = send(stack, reports, make(stack, period, reports.dashboard), told=notes.append)
    except NoReport as none:
        return False, str(none)
    counts = f"{period.title}: sent to {len(outcome.sent):,}, refused by {len(outcome.refused):,}."
    return outcome.is_well, " ".join(filter(None, [counts, *notes, outcome.sentence()]))


@dg.job(description="Send the weekly and monthly reports that are due. May run at any time; nobody gets one twice.")
def report_mails() -> None:
    """One step."""
    send_due_reports()


#: Without it a run in process is on the Runs page, but not on its job's page.
REPOSITORY_TAG = {".dagster/repository": f"__repository__@{DAGSTER_LOCATION}"}


def range_tags(first: datetime, last: datetime) -> dict[str, str]:
    """The tags that make one run of the hours from `first` to `last`, both included."""
    return {ASSET_PARTITION_RANGE_START_TAG: key_of(first), ASSET_PARTITION_RANGE_END_TAG: key_of(last)}
