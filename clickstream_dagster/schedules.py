"""The hourly schedule, the one for the hour in progress, the test visit, the shop's orders, the reports, the lake, and the daily
ones that pack and expire. The test visit, the shop's orders, the reports and the lake are on where they are set up, the others
are stopped by default: in the cloud the EventBridge tick drives the hours, and one driver is enough; and whoever packs or expires
deletes, which is for a person to turn on."""

from datetime import UTC, datetime

import dagster as dg

from clickstream_dagster.jobs import (
    ReportConfig,
    asked_by,
    expiry,
    hourly_clickstream,
    open_lake,
    raw_packs,
    report_mails,
    shop_books,
)
from clickstream_dagster.open_hour import load_open_hour
from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from clickstream_dagster.reports.sending import due
from clickstream_dagster.resources import Platform
from clickstream_dagster.retention import prune
from clickstream_dagster.settings import are_reports_wanted, load_reports, load_settings
from ingest_lambda import canary
from ingest_lambda.settings import canary_url

_MINUTES = load_settings().tick_minutes


@dg.schedule(
    job=hourly_clickstream,
    cron_schedule="5 * * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Five minutes after each hour, the hour that has just ended.",
)
def closed_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for the hour that ended last. Where this schedule drives, no tick deletes old runs."""
    prune(context.instance, load_settings().run_retention_days)
    now = context.scheduled_execution_time or datetime.now(UTC)
    return dg.RunRequest(partition_key=key_of(floor_hour(now) - HOUR), tags=asked_by("schedule"))


@dg.schedule(
    job=hourly_clickstream,
    cron_schedule=f"*/{_MINUTES} * * * *" if _MINUTES < 60 else "30 * * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every CLICKSTREAM_TICK_MINUTES, the hour in progress, without a run: its run comes when it has ended.",
)
def hour_in_progress(context: dg.ScheduleEvaluationContext, platform: Platform) -> dg.SkipReason:
    """Load what has come. To be turned on besides `closed_hour`."""
    stack, hour = platform.stack, floor_hour(context.scheduled_execution_time or datetime.now(UTC))
    with stack.warehouse() as connection:
        loaded = load_open_hour(connection, stack, hour)
    return dg.SkipReason(f"{loaded.loaded:,} events of {key_of(hour)} are loaded; its run comes when it has ended.")


hourly_shop_orders = dg.ScheduleDefinition(
    name="hourly_shop_orders",
    job=shop_books,
    cron_schedule="12 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING if load_settings().shop else dg.DefaultScheduleStatus.STOPPED,
    description="Twelve minutes after each hour, what has changed in the shop's own orders. On where SHOP_PG_HOST is set.",
)

daily_packs = dg.ScheduleDefinition(
    name="daily_packs",
    job=raw_packs,
    cron_schedule="40 3 * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Once a day, pack the small raw objects of closed hours, and delete those that packs have held long enough.",
)


hourly_lake = dg.ScheduleDefinition(
    name="hourly_lake",
    job=open_lake,
    cron_schedule="50 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING if load_settings().lake else dg.DefaultScheduleStatus.STOPPED,
    description="Each hour, write what has closed or changed as Parquet. On where CLICKSTREAM_LAKE is true.",
)


daily_expiry = dg.ScheduleDefinition(
    name="daily_expiry",
    job=expiry,
    cron_schedule="10 4 * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Once a day, take out what is older than the policy keeps.",
)


@dg.schedule(
    job=report_mails,
    cron_schedule="0 7 * * *",
    execution_timezone=load_settings().timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING if are_reports_wanted() else dg.DefaultScheduleStatus.STOPPED,
    description="At seven in the shop's morning, the reports of the week and month that are over, to whoever has not had them. "
    "On where CLICKSTREAM_REPORT_TO or CLICKSTREAM_REPORT_TOPIC is set.",
)
def morning_reports(context: dg.ScheduleEvaluationContext, platform: Platform) -> dg.RunRequest | dg.SkipReason:
    """A run where something is due. What could not be sent is due again the next morning."""
    stack, reports = platform.stack, load_reports()
    with stack.warehouse() as connection:
        found, waiting = due(connection, reports, stack.settings.timezone, context.scheduled_execution_time)
    if not found:
        return dg.SkipReason(" ".join(waiting) or "Everybody has had the last reports.")
    config = ReportConfig(periods=[period.name for period in found])
    return dg.RunRequest(run_config=dg.RunConfig(ops={"send_due_reports": config}))


@dg.schedule(
    job=hourly_clickstream,
    cron_schedule="2 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING if canary_url() else dg.DefaultScheduleStatus.STOPPED,
    description="Two minutes after each hour, a test visit to CLICKSTREAM_CANARY_URL, without a run. On where that is set.",
)
def hourly_canary(platform: Platform) -> dg.SkipReason:
    """Send one. What became of it, the check canary_visits_arrive says."""
    url = canary_url()
    if not url:
        return dg.SkipReason("Set CLICKSTREAM_CANARY_URL to the address of the collector: a test visit goes there.")
    sent = canary.send(url, platform.stack.store)
    return dg.SkipReason(f"{sent.name} is sent; the collector said {sent.answer}.")
