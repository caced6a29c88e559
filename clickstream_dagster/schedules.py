"""The hourly schedule. Stopped by default: in the cloud the EventBridge tick drives, and one driver is enough."""

from datetime import UTC, datetime

import dagster as dg

from clickstream_dagster.jobs import hourly_clickstream
from clickstream_dagster.partitions import HOUR, floor_hour, key_of
from clickstream_dagster.retention import prune
from clickstream_dagster.settings import load_settings


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
    return dg.RunRequest(partition_key=key_of(floor_hour(now) - HOUR))
