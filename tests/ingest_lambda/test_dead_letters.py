"""Dead letters of ticks, against a queue and a CloudWatch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from ingest_lambda import dead_letters
from ingest_lambda.dead_letters import HOUR, MINUTE, clear_paid, hour_owed
from support.aws import moto_server

EVENTS = Path(__file__).resolve().parents[1] / "events"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
T = NOW.replace(minute=0)


#: moto's CloudWatch does not look at namespaces: each test has a region of its own.
REGIONS = iter(("eu-west-1", "eu-west-2", "eu-west-3"))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an empty queue, and of the namespace of the numbers."""
    with moto_server() as url:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": next(REGIONS)}
        for name, text in {**keys, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, text)
        name = f"letters-{uuid4()}"
        boto3.client("sqs").create_queue(QueueName=name)
        yield name


def tick(moment: datetime) -> dict[str, Any]:
    """EventBridge's event of the clock."""
    event: dict[str, Any] = json.loads((EVENTS / "eventbridge_scheduled.json").read_text())
    return {**event, "time": moment.isoformat().replace("+00:00", "Z")}


def leave(queue: str, *bodies: object) -> None:
    """As Lambda does after the last retry: the event stands in its account of the call."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    for body in bodies:
        told = {"version": "1.0", "requestPayload": body, "responsePayload": {"errorMessage": "no"}}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(told))


def tell_complete(namespace: str, to: datetime, *, at: datetime) -> None:
    """As a tick does: how old the end of what is complete is. CloudWatch cuts the moment to its minute."""
    number = {
        "MetricName": "FreshnessMinutes",
        "Dimensions": [{"Name": "service", "Value": "etl"}],
        "Timestamp": at,
        "Value": (at - to) / MINUTE,
    }
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[number])


def left(queue: str) -> int:
    """How many lie in the queue, with those that someone is looking at."""
    sqs = boto3.client("sqs")
    told = sqs.get_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(map(int, told["Attributes"].values()))


def test_what_is_paid_goes_and_what_is_owed_stays(queue: str) -> None:
    tell_complete(queue, T - 3 * HOUR, at=NOW - 50 * MINUTE)  # an older word of a tick's
    tell_complete(queue, T - HOUR, at=NOW - 2 * MINUTE + timedelta(seconds=55))
    leave(queue, *(tick(T - hours * HOUR + 5 * MINUTE) for hours in (1, 2, 9)), tick(T + 5 * MINUTE))
    assert clear_paid(queue, queue, NOW) == 3
    assert left(queue) == 1


def test_as_long_as_no_tick_says_that_it_is_paid_nothing_goes(queue: str) -> None:
    leave(queue, tick(T - 2 * HOUR))
    assert clear_paid(queue, queue, NOW) == 0
    tell_complete(queue, T - 3 * HOUR, at=NOW - MINUTE)
    assert clear_paid(queue, queue, NOW) == 0
    assert left(queue) == 1


def test_many_are_cleared_at_once_and_what_stays_is_seen_again_soon(queue: str) -> None:
    tell_complete(queue, T, at=NOW - MINUTE)
    leave(queue, *(tick(T - hours * HOUR) for hours in range(25)), {"hoursBack": -1})
    assert clear_paid(queue, queue, NOW) == 25
    assert left(queue) == 1
    assert dead_letters.LOOK_SECONDS < 60  # the function's own life; the alarm looks at five minutes


def test_a_tick_that_could_not_be_delivered_is_the_event_itself() -> None:
    assert hour_owed(json.dumps(tick(datetime(2026, 1, 1, 7, 5, tzinfo=UTC)))) == datetime(2026, 1, 1, 7, tzinfo=UTC)


UNREADABLE = (
    *("", "no JSON", "[]", '"text"', '{"requestPayload": {"hoursBack": 3}}', '{"requestPayload": null}'),
    *(
        '{"source": "aws.events"}',
        '{"source": "aws.events", "time": "yesterday"}',
        '{"source": "aws.events", "time": 5}',
    ),
)


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_the_clock_did_not_send_is_left_to_a_person(body: str) -> None:
    assert hour_owed(body) is None
