"""The scheduled function, against a CloudWatch and an S3 protocol server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
import pytest

from ingest_lambda import landing
from ingest_lambda.canary import Canary, is_note
from ingest_lambda.operations import OperationalMetric, handler, queries
from ingest_lambda.settings import BadAddress, Watched
from support.aws import moto_server

T = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)
ENVIRON = {
    "CLICKSTREAM_API_ID": "api1",
    "CLICKSTREAM_INGEST_FUNCTION": "shop-ingest",
    "CLICKSTREAM_ETL_FUNCTION": "shop-etl",
    "CLICKSTREAM_DEAD_LETTER_QUEUES": "ingest-letters,etl-letters",
    "RAW_BUCKET_NAME": "operations-test",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with moto_server() as url:
        for name, text in {**ENVIRON, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, text)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="operations-test", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield url
        for held in s3.list_objects_v2(Bucket="operations-test").get("Contents", []):
            s3.delete_object(Bucket="operations-test", Key=held["Key"])
        s3.delete_bucket(Bucket="operations-test")


def put(namespace: str, name: str, dimension: tuple[str, str], at: datetime, *values: float) -> None:
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
            "Timestamp": at + timedelta(minutes=1 + 7 * place),
            "Value": value,
        }
        for place, value in enumerate(values)
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def written(hour: datetime) -> dict[tuple[str, str], Any]:
    body = boto3.client("s3").get_object(Bucket="operations-test", Key=landing.operations_key(hour))["Body"].read()
    found = [msgspec.json.decode(line, type=OperationalMetric) for line in body.splitlines()]
    assert {one.hour for one in found} == {hour}
    return {(one.source, one.metric): one.value for one in found}


def test_the_last_two_closed_hours_become_an_object_each(aws: str) -> None:
    put("AWS/ApiGateway", "Count", ("ApiId", "api1"), T - 2 * HOUR, 3, 4)
    put("AWS/ApiGateway", "Count", ("ApiId", "api1"), T - HOUR, 5)
    put("AWS/ApiGateway", "Count", ("ApiId", "another"), T - HOUR, 100)
    put("AWS/ApiGateway", "Count", ("ApiId", "api1"), T, 1)
    put("AWS/Lambda", "Errors", ("FunctionName", "shop-etl"), T - HOUR, 1, 1)
    put("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", "etl-letters"), T - HOUR, 2, 6, 1)
    answer = handler({"time": (T + timedelta(minutes=2)).isoformat().replace("+00:00", "Z")})
    assert answer["first"] == (T - 2 * HOUR).isoformat()
    one, other = written(T - 2 * HOUR), written(T - HOUR)
    assert (one["api", "requests"], other["api", "requests"]) == (7, 5)
    assert (other["etl", "errors"], other["ingest", "errors"]) == (2, 0)
    assert (other["etl-letters", "messages"], other["ingest-letters", "messages"]) == (6, 0)
    assert ("api", "latency_p95") not in other, "nothing was timed, so nothing is known"


def test_paid_ticks_are_cleared_where_a_queue_is_named(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    event = {"time": (T + timedelta(minutes=2)).isoformat()}
    assert "paid_ticks" not in handler(event)
    url = boto3.client("sqs").create_queue(QueueName="letters-of-ticks")["QueueUrl"]
    boto3.client("sqs").send_message(
        QueueUrl=url, MessageBody=f'{{"source": "aws.events", "time": "{(T - 2 * HOUR).isoformat()}"}}'
    )
    # Complete to the hour before, as the tick of five past said.
    put("Shop/prod", "FreshnessMinutes", ("service", "etl"), T - HOUR + timedelta(minutes=4), 65)
    monkeypatch.setenv("CLICKSTREAM_TICK_DEAD_LETTERS", "letters-of-ticks")
    monkeypatch.setenv("CLICKSTREAM_METRICS_NAMESPACE", "Shop/prod")
    assert handler(event)["paid_ticks"] == 1


def test_a_repeat_writes_the_same_objects_again_with_what_came_late(aws: str) -> None:
    event = {"time": (T + timedelta(minutes=2)).isoformat()}
    handler(event)
    before = written(T - HOUR)
    put("AWS/ApiGateway", "Count", ("ApiId", "api1"), T - HOUR, 9)
    handler(event)
    assert written(T - HOUR) == {**before, ("api", "requests"): before["api", "requests"] + 9}
    assert boto3.client("s3").list_objects_v2(Bucket="operations-test")["KeyCount"] == 2


def test_every_number_is_asked_for_once() -> None:
    asked = queries(Watched("api1", {"ingest": "shop-ingest", "etl": "shop-etl"}, ("ingest-letters", "etl-letters")))
    assert len(asked) == 4 + 2 * 4 + 2
    assert len({(one.source, one.metric) for one in asked}) == len(asked)
    assert len({(one.namespace, one.name, one.statistic, one.dimension) for one in asked}) == len(asked)


def test_a_test_visit_is_sent_where_an_address_is_set_and_keeps_no_number_waiting(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the address: that is what is noted, and the hour's numbers are written all the same."""
    assert "canary" not in handler({})
    monkeypatch.setenv("CLICKSTREAM_CANARY_URL", "http://127.0.0.1:9/clickstream")
    assert handler({})["canary"].startswith("no answer: ConnectionRefusedError")
    s3 = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="operations-test", Prefix="operations/")["Contents"]]
    [key] = [key for key in keys if is_note(key)]
    note = msgspec.json.decode(s3.get_object(Bucket="operations-test", Key=key)["Body"].read(), type=Canary)
    assert (note.key, note.steps[-1]) == (key, "purchase")
    assert landing.operations_key(T - HOUR) in keys
    monkeypatch.setenv("CLICKSTREAM_CANARY_URL", "shop.example")
    with pytest.raises(BadAddress, match=r"^CLICKSTREAM_CANARY_URL takes an address such as"):
        handler({})
