"""What is left in the queue of ticks that failed for good. A tick that is paid since then needs nobody: its message goes by
itself, and the alarm ends. CloudWatch has what the ticks say of how far the tables are complete; the function that looks is
outside the VPC, where the queue can be reached and the warehouse cannot.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: A message is hidden for this long while it is looked at; then the alarm sees it again.
LOOK_SECONDS = 30
LOOKS = 50


def clear_paid(queue: str, namespace: str, now: datetime) -> int:
    """Delete the messages of ticks by the clock whose hours the tables have by now; how many went. What someone has sent by
    hand stays for them, and so does what cannot be read."""
    import boto3  # in Lambda's runtime

    complete_to = _complete_to(boto3.client("cloudwatch"), namespace, now)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    gone = 0
    for message in _messages(sqs, url):
        owed = hour_owed(message["Body"])
        if owed and complete_to and owed <= complete_to:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            gone += 1
    return gone


def hour_owed(body: str) -> datetime | None:
    """The end of the hour that the failed tick should have loaded; None for what the clock has not sent. The body is
    EventBridge's event, or Lambda's account of the call with the event in it."""
    try:
        said = json.loads(body)
        event = said.get("requestPayload", said)
        if event.get("source") != "aws.events":
            return None
        moment = datetime.fromisoformat(event["time"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _messages(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    for _ in range(LOOKS):
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS)
        if not found.get("Messages"):
            return
        yield from found["Messages"]


def _complete_to(cloudwatch: Any, namespace: str, now: datetime) -> datetime | None:
    """How far the tables are complete, as the latest tick has said; None where none has spoken for a day."""
    metric = {
        "Namespace": namespace,
        "MetricName": "FreshnessMinutes",
        "Dimensions": [{"Name": "service", "Value": "etl"}],
    }
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "freshness", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}],
        StartTime=now - 24 * HOUR,
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    [found] = answer["MetricDataResults"]
    if not found["Values"]:
        return None
    moment: datetime = found["Timestamps"][0].astimezone(UTC) - found["Values"][0] * MINUTE
    # CloudWatch keeps the minute and not the second, so this is up to a minute early; the tables are complete to a whole hour.
    return (moment + 2 * MINUTE).replace(minute=0, second=0, microsecond=0)
