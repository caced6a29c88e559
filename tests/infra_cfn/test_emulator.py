"""The serverless half for real: our templates and our packages, deployed into an emulator of AWS. A browser's POST becomes an
object, the tick's event becomes rows in PostgreSQL and a run with its partition in Dagster."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from clickstream_dagster.partitions import key_of
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.ledger import ledger
from infra_cfn.packages.archive import write_zip
from infra_cfn.packages.contents import ETL, INGEST, ROOT
from support import emulator
from support.clouds import Cloud, cloud
from support.emulator import Emulator, template
from support.lambdas import MACHINE
from support.packages import unpacked
from support.servers import DAGSTER, LOADER

pytestmark = pytest.mark.usefixtures("wheels")
TEMPLATES = ROOT / "infra_cfn"
SHOP = "https://shop.example"
#: What ministack 1.5.33 does not know of our templates.
UNKNOWN = ("AWS::EC2::Volume", "AWS::DLM::LifecyclePolicy")


@dataclass(frozen=True)
class Deployed:
    """The stacks' outputs, by stack."""

    aws: Emulator
    cloud: Cloud
    outputs: dict[str, dict[str, str]]

    def collect(self, path: str, *events: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
        api = self.outputs["ingest"]["ApiId"]
        return self.aws.post(api, path, json.dumps(list(events)).encode(), Origin=SHOP, **headers)

    def keys(self, root: str) -> list[str]:
        found = self.aws.client("s3").list_objects_v2(Bucket=self.outputs["storage"]["RawBucket"], Prefix=root)
        return [held["Key"] for held in found.get("Contents", [])]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Storage, auth, ingest and etl. The network and the machines are not: PostgreSQL is one of this machine, without TLS."""
    folder = tmp_path_factory.mktemp("emulator")
    with (
        unpacked(ETL) as etl,
        unpacked(INGEST) as ingest,
        cloud() as servers,
        emulator.running(etl, folder / "log") as aws,
    ):
        _upload(aws, {"ingest_lambda": ingest, "etl_lambda": etl}, folder)
        _write_secrets(aws)
        yield Deployed(aws, servers, _deploy(aws, servers))


def _upload(aws: Emulator, packages: dict[str, Path], folder: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": emulator.REGION})
    for name, tree in packages.items():
        write_zip(tree, folder / "package.zip", level=1)
        s3.upload_file(str(folder / "package.zip"), "artifacts", f"releases/test/{name}-{MACHINE.arch}.zip")


def _write_secrets(aws: Emulator) -> None:
    """As `make deploy` and the machine's first boot do."""
    ssm = aws.client("ssm")
    for name, secret in {
        "ingest/hash_salt": "pepper",
        "warehouse/loader_password": LOADER[1],
        "warehouse/dagster_password": DAGSTER[1],
    }.items():
        ssm.put_parameter(Name=f"/clickstream/test/{name}", Value=secret, Type="SecureString")


def _deploy(aws: Emulator, servers: Cloud) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}

    def deploy(name: str, read: dict[str, Any] | None = None, **given: str) -> None:
        read = read or template(TEMPLATES / f"{name}.yaml", UNKNOWN)
        found[name] = aws.deploy(f"clickstream-test-{name}", read, Environment="test", **given)

    package = {"ArtifactsBucket": "artifacts", "Release": "test", "Architecture": MACHINE.arch}
    deploy("storage", AvailabilityZone=f"{emulator.REGION}a")
    deploy("auth")
    raw = {"RawBucket": found["storage"]["RawBucket"]}
    identity = {"Issuer": found["auth"]["Issuer"], "ShopClient": found["auth"]["ShopClient"]}
    deploy("ingest", ShopOrigins=SHOP, **identity, **raw, **package)
    etl = template(TEMPLATES / "etl.yaml", UNKNOWN)
    variables = etl["Resources"]["Etl"]["Properties"]["Environment"]["Variables"]
    assert (variables["DW_PG_PORT"], variables["DW_PG_SSL"]) == ("5432", "true")
    variables |= {"DW_PG_PORT": str(servers.administrator.port), "DW_PG_SSL": "false"}
    place = {"EtlSubnet": "subnet-0123456789abcdef0", "EtlSecurityGroup": "sg-0123456789abcdef0"}
    deploy("etl", etl, AlertEmail="you@shop.example", WarehouseHost="127.0.0.1", **place, **raw, **package)
    return found


@pytest.fixture(scope="module")
def collected(deployed: Deployed) -> datetime:
    """The hour in which two visitors were there."""
    view = {"event_name": "page_view", "page_url": f"{SHOP}/"}
    status, answer = deployed.collect(
        "/clickstream", {**view, "client_id": "ann"}, {**view, "client_id": "b@x.example"}
    )
    assert (status, answer["accepted"]) == (200, 2)
    [key] = deployed.keys("events/")
    return datetime.strptime(key[len("events/") : -len(key.rpartition("/")[2]) - 1], "%Y/%m/%d/%H").replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def ticked(deployed: Deployed, collected: datetime) -> dict[str, Any]:
    """The answer to the event that EventBridge sends an hour later."""
    event = json.loads((ROOT / "tests" / "events" / "eventbridge_scheduled.json").read_text())
    event["time"] = (collected + timedelta(hours=1, minutes=5)).isoformat()
    function = deployed.outputs["etl"]["FunctionName"]
    ran = deployed.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    answer = json.loads(ran["Payload"].read())
    assert "FunctionError" not in ran, answer
    return dict(answer)


def test_what_was_sent_stands_in_the_warehouse_and_the_books_balance(
    deployed: Deployed, collected: datetime, ticked: dict[str, Any]
) -> None:
    assert (ticked["partition"], [run["success"] for run in ticked["runs"]]) == (key_of(collected), [True])
    with deployed.cloud.stack.warehouse() as connection:
        [books] = ledger(connection)
        with transaction(connection) as cursor:
            cursor.execute("select visitor_id from fact_sessions order by visitor_id")
            visitors = [visitor for (visitor,) in cursor.fetchall()]
    assert (books.partition_hour, books.received, books.loaded, books.difference) == (collected, 2, 2, 0)
    assert visitors[0] == "ann"
    assert visitors[1].startswith("h_"), "hashed with the salt of Parameter Store"


def test_the_run_and_its_partition_stand_in_dagster(
    deployed: Deployed, collected: datetime, ticked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKSTREAM_DAGSTER_URL", deployed.cloud.dagster_url)
    with dg.DagsterInstance.from_config(str(ROOT)) as dagster:
        [run] = dagster.get_runs()
        assert (run.run_id, run.status.value) == (ticked["runs"][0]["run_id"], "SUCCESS")
        assert dagster.get_materialized_partitions(dg.AssetKey("clickstream_events")) == {key_of(collected)}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer none"}, {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}]
)
@pytest.mark.parametrize("path", ["/clickstream/auth", "/v1/events/auth"])
def test_the_signed_in_routes_refuse_who_has_no_token(deployed: Deployed, path: str, headers: dict[str, str]) -> None:
    before = deployed.keys("")
    status, _ = deployed.collect(path, {"event_name": "page_view", "client_id": "eve"}, **headers)
    assert status == 401
    assert deployed.keys("") == before


def test_a_site_that_is_not_the_shop_s_is_refused(deployed: Deployed) -> None:
    api = deployed.outputs["ingest"]["ApiId"]
    status, answer = deployed.aws.post(api, "/clickstream", b"[]", Origin="https://evil.example")
    assert (status, answer["errors"][0]["code"]) == (403, "origin_not_allowed")


def test_a_tick_that_fails_for_good_is_left_in_the_queue(deployed: Deployed) -> None:
    function, sqs = deployed.outputs["etl"]["FunctionName"], deployed.aws.client("sqs")
    queue = sqs.get_queue_url(QueueName=deployed.outputs["etl"]["DeadLetters"])["QueueUrl"]
    deployed.aws.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"hoursBack": -1}')
    until = time.monotonic() + 60
    messages: list[dict[str, Any]] = []
    while not messages and time.monotonic() < until:
        messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    [message] = messages
    told = json.loads(message["Body"])
    assert told["requestPayload"] == {"hoursBack": -1}
    assert "must be a whole number of hours" in told["responsePayload"]["errorMessage"]
