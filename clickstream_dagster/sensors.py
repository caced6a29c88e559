"""The sensor for late objects: an hour that was loaded and has grown since. Stopped by default; the tick pays them too."""

import hashlib
from datetime import UTC, datetime

import dagster as dg

from clickstream_dagster.jobs import asked_by, hourly_clickstream, range_tags
from clickstream_dagster.partitions import HOUR, floor_hour, ranges
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse.ledger import unseen_in_lookback


@dg.sensor(
    job=hourly_clickstream,
    minimum_interval_seconds=900,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Hours inside the look-back that have objects which are not loaded.",
)
def late_objects(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """One run request for each range of hours with unseen objects; the same objects never ask twice."""
    stack = platform.stack
    with stack.warehouse() as connection:
        unseen = unseen_in_lookback(connection, stack.store, stack.settings, floor_hour(datetime.now(UTC)))
    requests = []
    for start, end in ranges({raw.hour for raw in unseen}, 0):
        keys = "\n".join(raw.key + raw.etag for raw in unseen if start <= raw.hour < end)
        run_key = hashlib.sha256(keys.encode()).hexdigest()
        requests.append(dg.RunRequest(run_key=run_key, tags={**range_tags(start, end - HOUR), **asked_by("sensor")}))
    return dg.SensorResult(run_requests=requests)
