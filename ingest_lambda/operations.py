"""The scheduled function outside the VPC: what CloudWatch says of the API, the functions and the queues, hour by hour, as
objects in the raw bucket. The pipeline, which has no way to CloudWatch, loads them like everything else.

It writes the last two closed hours each time. CloudWatch is some minutes late, so the first writing of an hour may lack its
end; the second, an hour later, has it whole, in the same object.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ingest_lambda import canary, dead_letters, landing, settings
from ingest_lambda.log import log

HOUR = timedelta(hours=1)
HOURS_WRITTEN = 2


class OperationalMetric(msgspec.Struct, forbid_unknown_fields=True):
    """One number of one hour. The loader decodes with this same struct."""

    hour: datetime
    source: str
    metric: str
    value: float
    unit: str


class Query(NamedTuple):
    """One number to ask CloudWatch for, and what we call it."""

    source: str
    metric: str
    unit: str
    namespace: str
    name: str
    statistic: str
    dimension: tuple[str, str]
    #: CloudWatch has no number for an hour in which nothing happened: of a count that means 0, of a time that it is unknown.
    is_count: bool = True


def handler(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Write the closed hours before the event's `time` (EventBridge's scheduled event), or before now; clear the dead
    letters of ticks that are paid; then send a test visit, where an address is set."""
    started = time.perf_counter()
    moment = datetime.fromisoformat(str(event["time"])) if "time" in event else datetime.now(UTC)
    last = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    first = last - (HOURS_WRITTEN - 1) * HOUR
    found = list(metrics(first, last + HOUR))
    store = settings.open_store(settings.raw_bucket_name())
    for hour in (first + n * HOUR for n in range(HOURS_WRITTEN)):
        lines = [msgspec.json.encode(one) for one in found if one.hour == hour]
        store.put(landing.operations_key(hour), b"\n".join(lines) + b"\n")
    answer: dict[str, Any] = {"first": first.isoformat(), "hours": HOURS_WRITTEN, "numbers": len(found)}
    if queue := settings.tick_dead_letters():
        answer["paid_ticks"] = dead_letters.clear_paid(queue, settings.metrics_namespace(), moment)
    # Last: a call that failed before is repeated, and the repeat sends one visit, not two.
    if url := settings.canary_url():
        answer["canary"] = canary.send(url, store).answer
    log("operations", **answer, ms=round((time.perf_counter() - started) * 1000, 1))
    return answer


def metrics(start: datetime, end: datetime) -> Iterator[OperationalMetric]:
    """Every number of the hours from `start` up to `end`, from CloudWatch."""
    import boto3  # in Lambda's runtime

    cloudwatch = boto3.client("cloudwatch")
    asked = queries(settings.watched())
    answers = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(f"q{number}", query) for number, query in enumerate(asked)],
        StartTime=start,
        EndTime=end,
    )
    values: dict[tuple[str, datetime], float] = {}
    for page in answers:
        for one in page["MetricDataResults"]:
            values |= {
                (one["Id"], moment.astimezone(UTC)): value
                for moment, value in zip(one["Timestamps"], one["Values"], strict=True)
            }
    for number, query in enumerate(asked):
        for hour in (start + n * HOUR for n in range((end - start) // HOUR)):
            found = values.get((f"q{number}", hour), 0.0 if query.is_count else None)
            if found is not None:
                yield OperationalMetric(hour, query.source, query.metric, found, query.unit)


def queries(watched: settings.Watched) -> list[Query]:
    """What there is to ask."""
    api = ("ApiId", watched.api)
    asked = [
        Query("api", "requests", "Count", "AWS/ApiGateway", "Count", "Sum", api),
        Query("api", "client_errors", "Count", "AWS/ApiGateway", "4xx", "Sum", api),
        Query("api", "server_errors", "Count", "AWS/ApiGateway", "5xx", "Sum", api),
        Query("api", "latency_p95", "Milliseconds", "AWS/ApiGateway", "Latency", "p95", api, is_count=False),
    ]
    for source, name in watched.functions.items():
        function = ("FunctionName", name)
        asked += [
            Query(source, "invocations", "Count", "AWS/Lambda", "Invocations", "Sum", function),
            Query(source, "errors", "Count", "AWS/Lambda", "Errors", "Sum", function),
            Query(source, "throttles", "Count", "AWS/Lambda", "Throttles", "Sum", function),
            Query(source, "duration_p95", "Milliseconds", "AWS/Lambda", "Duration", "p95", function, is_count=False),
        ]
    visible = "ApproximateNumberOfMessagesVisible"
    return asked + [
        Query(queue, "messages", "Count", "AWS/SQS", visible, "Maximum", ("QueueName", queue))
        for queue in watched.queues
    ]


def _query(id: str, query: Query) -> dict[str, Any]:
    name, value = query.dimension
    metric = {
        "Namespace": query.namespace,
        "MetricName": query.name,
        "Dimensions": [{"Name": name, "Value": value}],
    }
    return {"Id": id, "MetricStat": {"Metric": metric, "Period": 3600, "Stat": query.statistic}}
