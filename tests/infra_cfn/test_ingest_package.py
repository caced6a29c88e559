"""The collector's package as Lambda runs it, against an S3 protocol server and a Parameter Store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra_cfn.packages.contents import INGEST
from ingest_lambda.request import DOOR_HEADER
from support.aws import moto_server
from support.lambdas import Function, FunctionError, running
from support.metrics import metrics_of
from support.packages import unpacked

pytestmark = pytest.mark.usefixtures("wheels")
EVENTS = Path(__file__).resolve().parents[1] / "events"
#: Servers of one test process share what they hold.
BUCKET = "ingest-package"
SALT = "/clickstream/test/ingest/hash_salt"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="module")
def package() -> Iterator[Path]:
    with unpacked(INGEST) as task:
        yield task


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """S3 with a raw bucket, and Parameter Store with the salt."""
    with moto_server() as url:
        client("s3", url).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client("ssm", url).put_parameter(Name=SALT, Value="pepper", Type="SecureString")
        yield url


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="module")
def collector(package: Path, aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    log = tmp_path_factory.mktemp("ingest") / "log"
    environ = {**KEYS, "AWS_ENDPOINT_URL": aws, "RAW_BUCKET_NAME": BUCKET, "CLICKSTREAM_HASH_SALT_PARAMETER": SALT}
    with running(package, "ingest_lambda.handler.handler", log, **environ) as function:
        yield function


def sent(client_id: str) -> dict[str, Any]:
    request = json.loads((EVENTS / "request_v2.json").read_text())
    return {
        **request,
        "body": json.dumps({"event_name": "page_view", "client_id": client_id}),
        "isBase64Encoded": False,
    }


def stored(aws: str) -> list[dict[str, Any]]:
    s3 = client("s3", aws)
    keys = [held["Key"] for held in s3.list_objects_v2(Bucket=BUCKET, Prefix="events/").get("Contents", [])]
    lines = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().splitlines() for key in sorted(keys)]
    return [json.loads(line) for lines_of_object in lines for line in lines_of_object]


def test_a_request_becomes_an_object_before_it_is_answered(collector: Function, aws: str) -> None:
    answer = collector.call(sent("ann"))
    assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (200, 1)
    assert metrics_of(collector.lines()[-1]) == ("ingest", {"Accepted": 1, "Rejected": 0})
    assert [event["client_id"] for event in stored(aws) if event["client_id"] == "ann"] == ["ann"]


def test_an_id_that_tells_who_it_is_is_hashed_with_the_salt_of_parameter_store(collector: Function, aws: str) -> None:
    assert collector.call(sent("ann@shop.example"))["statusCode"] == 200
    hashed = [event["client_id"] for event in stored(aws) if event["client_id"].startswith("h_")]
    assert hashed == ["h_40f118ced7baa9939e0236255cb3ca6b"]


def test_without_the_salt_nothing_is_stored_and_the_client_is_to_send_again(
    package: Path, aws: str, tmp_path: Path
) -> None:
    before = len(stored(aws))
    environ = {**KEYS, "AWS_ENDPOINT_URL": aws, "RAW_BUCKET_NAME": BUCKET, "CLICKSTREAM_HASH_SALT_PARAMETER": "/none"}
    with running(package, "ingest_lambda.handler.handler", tmp_path / "log", **environ) as function:
        refused = function.call(sent("ann@shop.example"))
        assert (refused["statusCode"], refused["headers"]["retry-after"]) == (503, "30")
        assert function.call(sent("bob"))["statusCode"] == 200
        assert "cannot read /none" in json.dumps(function.lines())
    assert len(stored(aws)) == before + 1


def test_the_second_handler_of_the_package_writes_the_hours_that_ended(package: Path, aws: str, tmp_path: Path) -> None:
    environ = {
        **KEYS,
        "AWS_ENDPOINT_URL": aws,
        "RAW_BUCKET_NAME": BUCKET,
        "CLICKSTREAM_API_ID": "api1",
        "CLICKSTREAM_INGEST_FUNCTION": "ingest",
        "CLICKSTREAM_ETL_FUNCTION": "etl",
        "CLICKSTREAM_DEAD_LETTER_QUEUES": "letters",
    }
    with running(package, "ingest_lambda.operations.handler", tmp_path / "log", **environ) as function:
        answer = function.call({"time": "2026-03-14T05:02:00Z"})
    assert answer["first"] == "2026-03-14T03:00:00+00:00"
    held = client("s3", aws).list_objects_v2(Bucket=BUCKET, Prefix="operations/")["Contents"]
    assert [one["Key"] for one in held] == [f"operations/2026/03/14/{hour}/metrics.json" for hour in ("03", "04")]


def test_with_cloudfront_before_it_nobody_comes_around_it(package: Path, aws: str, tmp_path: Path) -> None:
    name = "/clickstream/test/ingest/origin_secret"
    client("ssm", aws).put_parameter(Name=name, Value="through the door", Type="SecureString")
    environ = {**KEYS, "AWS_ENDPOINT_URL": aws, "RAW_BUCKET_NAME": BUCKET, "CLICKSTREAM_ORIGIN_SECRET_PARAMETER": name}
    before = len(stored(aws))
    with running(package, "ingest_lambda.handler.handler", tmp_path / "log", **environ) as function:
        request = sent("ann")
        for secret in (None, "", "through the window"):
            headers = {} if secret is None else {DOOR_HEADER: secret}
            refused = function.call({**request, "headers": {**request["headers"], **headers}})
            assert (refused["statusCode"], json.loads(refused["body"])["errors"][0]["code"]) == (403, "wrong_door")
        assert len(stored(aws)) == before
        through = {**request, "headers": {**request["headers"], DOOR_HEADER: "through the door"}}
        assert function.call(through)["statusCode"] == 200
        assert "through the" not in function.log.read_text()
    assert len(stored(aws)) == before + 1


def test_only_tmp_can_be_written_and_there_is_no_shared_memory(package: Path, tmp_path: Path) -> None:
    """The sandbox is what the tests of the packages stand on: what it forbids must be forbidden."""
    probe = tmp_path / "probe"
    probe.mkdir(mode=0o755)
    (probe / "probe.py").write_text(
        "import os, pathlib, multiprocessing\n"
        "def attempt(action):\n"
        "    try:\n        action()\n        return 'done'\n"
        "    except OSError as error:\n        return type(error).__name__\n"
        "def handler(event, context):\n"
        "    places = ('/tmp', '/var/task', '/var', '/', '/root', '/dev/shm')\n"
        "    written = {p: attempt(lambda: pathlib.Path(p, 'x').write_text('x')) for p in places}\n"
        "    return {**written, 'lock': attempt(multiprocessing.Lock), 'user': os.getuid()}\n"
    )
    tmp_path.chmod(0o755)
    with running(probe, "probe.handler", tmp_path / "log") as function:
        found = function.call({})
    assert found.pop("/tmp") == "done"
    assert found.pop("user") == 993
    assert "done" not in found.values()


def test_a_handler_that_fails_to_import_is_said_to(package: Path, tmp_path: Path) -> None:
    with pytest.raises(FunctionError, match="No module named"), running(package, "none.handler", tmp_path / "log"):
        pass
