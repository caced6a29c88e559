"""deploy, smoke, tunnel, destroy: what they do to AWS, against an emulator of it and moto; what they say when they stop."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from moto.server import ThreadedMotoServer

from clickstream_dagster.local import gateway
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from infra_cfn.commands import choices, deploy, destroy, keys, releases, smoke, stacks, tunnel
from infra_cfn.commands.account import Trouble, client
from infra_cfn.commands.canary import USER_AGENT, Canary
from infra_cfn.commands.failures import first_failure
from ingest_lambda.handler import collect
from ingest_lambda.settings import open_store
from support import emulator
from support.templates import FOLDER

ROOT = FOLDER.parent
NAME = "clickstream-prod-artifacts"
BUCKET = (FOLDER / "artifacts.yaml").read_text()
TAGS = {"project": "clickstream"}
COMMANDS = ("deploy", "smoke", "tunnel", "destroy")


def told(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    client.cache_clear()


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulator")
    with emulator.running(folder, folder / "log") as aws:
        yield aws.url


@pytest.fixture
def cloud(emulated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """CloudFormation that creates stacks, of ministack."""
    told(monkeypatch, emulated)
    monkeypatch.setattr(stacks, "POLL_SECONDS", 0.1)
    yield
    stacks.delete(NAME)
    client.cache_clear()


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """S3, SSM and EC2 of moto."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told(monkeypatch, f"http://{host}:{port}")
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    yield f"http://{host}:{port}"
    server.stop()
    client.cache_clear()


def change(body: str = BUCKET, **how: Any) -> bool:
    return stacks.change(NAME, template={"TemplateBody": body}, parameters={"Environment": "prod"}, tags=TAGS, **how)


# --- stacks


def test_a_stack_is_made_and_then_there_is_nothing_to_change(cloud: None) -> None:
    assert change()
    assert stacks.need(NAME).outputs["ArtifactsBucket"]
    assert not change()


def test_what_holds_data_is_not_lost_unless_told(cloud: None) -> None:
    change()
    before = stacks.need(NAME)
    renamed = re.sub(r"\bArtifactsBucket(:\n    Type: AWS::S3::Bucket\n|\.Arn|\n|\])", r"Another\1", BUCKET)
    assert "\n  Another:\n    Type: AWS::S3::Bucket" in renamed
    with pytest.raises(Trouble, match=r"ArtifactsBucket \(remove\).*Nothing was changed"):
        change(renamed)
    assert stacks.need(NAME) == before
    assert change(renamed, allow_loss=True)


def test_a_plan_changes_nothing_and_leaves_nothing(cloud: None) -> None:
    assert not change(plan_only=True)
    assert stacks.find(NAME) is None


def test_the_first_failure_is_told_and_the_next_try_starts_afresh(cloud: None) -> None:
    broken = """
  Broken:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: "https://nowhere.s3.amazonaws.com/none.yaml"}
"""
    with pytest.raises(Trouble, match=f"{NAME}/Broken .*failed first: .*nowhere"):
        change(BUCKET.replace("\nOutputs:", f"{broken}\nOutputs:"))
    assert stacks.need(NAME).status == "ROLLBACK_COMPLETE"
    assert change()


def test_the_parameters_that_are_not_given_stay(cloud: None) -> None:
    body = """
Parameters: {Kept: {Type: String, Default: a}, Changed: {Type: String, Default: a}}
Resources: {Topic: {Type: "AWS::SNS::Topic", Properties: {DisplayName: !Sub "${Kept}${Changed}"}}}
"""
    stacks.change(NAME, template={"TemplateBody": body}, parameters={"Kept": "b"}, tags=TAGS)
    previous: dict[str, str | bool] = {"UsePreviousTemplate": True}
    assert stacks.change(NAME, template=previous, parameters={"Changed": "c"}, tags=TAGS, keep_others=True)
    assert stacks.need(NAME).parameters == {"Kept": "b", "Changed": "c"}


def event(at: int, resource: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=at),
        "StackName": "clickstream-prod-Etl",
        "LogicalResourceId": resource,
        "ResourceType": "AWS::Lambda::Function",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            "decreases account's UnreservedConcurrentExecution below its minimum value of [10]",
            "EtlReservedConcurrency: 0",
        ),
        (
            "WaitCondition received failed message: 'Step 30_postgres failed' for uniqueId: bootstrap",
            "--keep-what-failed",
        ),
        ("User: arn:aws:iam::1:user/x is not authorized to perform: lambda:CreateFunction", "docs/deploy.md"),
        ("The t4g.small instance type is not supported in your requested Availability Zone", "AvailabilityZone"),
    ],
)
def test_of_many_failures_the_first_that_explains_is_told(reason: str, advice: str) -> None:
    events = [
        event(5, "Etl", "CREATE_FAILED", reason),
        event(4, "Logs", "CREATE_FAILED", "Resource creation cancelled"),
        event(6, "Stack", "CREATE_FAILED", "Embedded stack arn:x was not successfully created: y"),
        event(9, "Role", "DELETE_FAILED", "something later"),
    ]
    said = first_failure(events, "ROLLBACK_COMPLETE")
    assert said.startswith(f"clickstream-prod-Etl/Etl (AWS::Lambda::Function) failed first: {reason}")
    assert advice in said


# --- what is deployed


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What `make package` leaves, but small."""
    folder = tmp_path / "arm64"
    folder.mkdir()
    files = {name: name.encode() * 1000 for name in ("ingest_lambda.zip", "etl_lambda.zip", "instance.tar.gz")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    (folder / "release.json").write_text(json.dumps({"release": "0.2.0-abc", "arch": "arm64", "files": digests}))
    return tmp_path


def test_a_release_goes_where_the_templates_read_it_and_once(moto: str, built: Path) -> None:
    client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client("s3").put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    release = releases.read("arm64", built)
    for _ in range(2):
        releases.upload(release, "artifacts")
    versions = client("s3").list_object_versions(Bucket="artifacts")["Versions"]
    at = "releases/0.2.0-abc"
    large = [f"{at}/etl_lambda-arm64.zip", f"{at}/ingest_lambda-arm64.zip", f"{at}/instance.tar.gz"]
    templates = {f"{at}/templates/{file.name}" for file in FOLDER.glob("*.yaml")}
    assert {one["Key"] for one in versions} == {*large, *templates, "releases/oltp.tar.gz"}
    assert sorted(one["Key"] for one in versions if one["Key"] in large) == large
    assert releases.templates_url(release, "artifacts").endswith(f"/{at}/templates")


def test_a_package_that_was_touched_is_not_deployed(built: Path) -> None:
    (built / "arm64" / "etl_lambda.zip").write_bytes(b"else")
    with pytest.raises(Trouble, match=r"etl_lambda.zip is not what release.json says.*make package ARGS=arm64"):
        releases.read("arm64", built)
    with pytest.raises(Trouble, match=r"Nothing is built for x86_64.*make package ARGS=x86_64"):
        releases.read("x86_64", built)


def test_a_secret_is_made_once(moto: str) -> None:
    made = keys.ensure("prod", keys.HASH_SALT)
    assert len(made) >= 32
    assert keys.ensure("prod", keys.HASH_SALT) == made != keys.ensure("staging", keys.HASH_SALT)
    assert client("ssm").get_parameter(Name="/clickstream/prod/ingest/hash_salt")["Parameter"]["Type"] == "SecureString"


def test_the_zone_is_one_that_has_the_machine_and_then_stays(moto: str) -> None:
    zone = deploy._zone("arm64", None)
    offers = client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "location", "Values": [zone]}]
    )["InstanceTypeOfferings"]
    assert "t4g.small" in {one["InstanceType"] for one in offers}
    there = stacks.Stack("id", "UPDATE_COMPLETE", {"AvailabilityZone": "eu-central-1c"}, {})
    assert deploy._zone("arm64", there) == "eu-central-1c"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, "Copy example.yml"),
        ("AlertEmail: a@b.example", "must say ShopOrigins"),
        ("AlertEmial: a@b.example", "AlertEmial cannot be chosen"),
        ("OriginSecret: hunter2", "OriginSecret cannot be chosen"),
        ("- a\n- b", "must hold lines such as"),
        ("a: [", "is no YAML"),
    ],
)
def test_an_environment_s_file_that_cannot_be_used_is_told(tmp_path: Path, lines: str | None, said: str) -> None:
    if lines is not None:
        (tmp_path / "prod.yml").write_text(lines)
    with pytest.raises(Trouble, match=said):
        choices.read("prod", tmp_path)


def test_an_environment_s_file_is_read_as_cloudformation_takes_it(tmp_path: Path) -> None:
    (tmp_path / "prod.yml").write_text(
        "AlertEmail: a@b.example\nShopOrigins: [https://a.example, https://b.example]\nOltp: yes\nWarehouseGiB: 30\n"
    )
    assert choices.read("prod", tmp_path) == {
        "AlertEmail": "a@b.example",
        "ShopOrigins": "https://a.example,https://b.example",
        "Oltp": "yes",
        "WarehouseGiB": "30",
    }
    example = (FOLDER / "environments" / choices.EXAMPLE).read_text()
    (tmp_path / "example.yml").write_text(example)
    assert choices.read("example", tmp_path)["ShopHosts"] == "shop.example,www.shop.example"
    assert choices.read("example", tmp_path)["FirstHour"] == "2026-01-01T00:00Z"


# --- destroy


def test_a_bucket_is_emptied_of_every_version(moto: str) -> None:
    client("s3").create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client("s3").put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "a", "b"):
        client("s3").put_object(Bucket="raw", Key=key, Body=b"x")
    client("s3").delete_object(Bucket="raw", Key="b")
    destroy.empty("raw")
    client("s3").delete_bucket(Bucket="raw")
    assert client("s3").list_buckets()["Buckets"] == []


def test_only_this_installation_s_secrets_and_snapshots_go(moto: str) -> None:
    for environment in ("prod", "prod2"):
        keys.ensure(environment, keys.HASH_SALT)
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "clickstream-snapshots", "Value": environment}]}]
        made = client("ec2").create_volume(AvailabilityZone="eu-central-1a", Size=10, TagSpecifications=tags)
        client("ec2").create_snapshot(VolumeId=made["VolumeId"])
    mine = [one["VolumeId"] for one in destroy._volumes("prod")]
    destroy._delete_snapshots(mine)
    destroy._delete_parameters("prod")
    left = client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert not [one for one in left if one["VolumeId"] in mine]
    assert [one for one in left if one["VolumeId"] in {other["VolumeId"] for other in destroy._volumes("prod2")}]
    assert client("ssm").get_parameters_by_path(Path="/clickstream/prod/", Recursive=True)["Parameters"] == []
    assert client("ssm").get_parameter(Name="/clickstream/prod2/ingest/hash_salt")


def command(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"infra_cfn.commands.{words[0]}", *words[1:]],
        input=typed, capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip


def test_the_data_goes_only_with_the_name_typed(cloud: None) -> None:
    root = """
Resources: {RawBucket: {Type: "AWS::S3::Bucket"}}
Outputs:
""" + "".join(
        f"  {name}: {{Value: !Ref RawBucket}}\n"
        for name in ("RawBucket", "WarehouseBucket", "WarehouseVolume", "UserPool")
    )
    stacks.change("clickstream-kept", template={"TemplateBody": root}, parameters={}, tags=TAGS)
    done = command("destroy", "kept", "--and-the-data", typed="keptt\n")
    assert done.returncode == 1
    assert "For good" in done.stdout and done.stderr.strip() == "That is not its name. Nothing was destroyed."
    assert stacks.find("clickstream-kept")
    stacks.delete("clickstream-kept")


# --- smoke


@pytest.fixture
def api(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The collector behind its gateway, writing into a bucket of moto."""
    client("s3").create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("CLICKSTREAM_ALLOWED_ORIGINS", "https://shop.example")
    config = uvicorn.Config(gateway.app(open_store("raw")), port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_a_canary_is_collected_and_found_in_its_hour(api: str) -> None:
    canary, began = Canary(), datetime.now(UTC)
    smoke.collected(f"{api}/clickstream", canary, "https://shop.example")
    smoke.collected(f"{api}/clickstream", Canary(), "https://shop.example")
    hour = smoke.stored("raw", canary, began)
    assert timedelta(0) <= datetime.now(UTC) - hour < timedelta(hours=1, minutes=1)
    assert (hour.minute, hour.second) == (0, 0)


def test_a_canary_arrives_as_a_bot_that_buys_nothing(stack: Stack) -> None:
    canary, now = Canary(), datetime.now(UTC)
    request = {
        "rawPath": "/clickstream",
        "headers": {"user-agent": USER_AGENT},
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps({"events": canary.events()}),
    }
    assert collect(request, store=stack.store, received_at=now)["statusCode"] == 200
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, smoke._floor(now), smoke._floor(now) + timedelta(hours=1))
        with transaction(connection) as cursor:
            cursor.execute(smoke.question(canary))
            assert cursor.fetchone() == (3,)
            cursor.execute("select event_name, is_bot from clickstream_events order by event_name")
            assert cursor.fetchall() == [("add_to_cart", True), ("page_view", True), ("view_product", True)]


def test_smoke_says_where_it_stopped(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Trouble, match=r"^Step 1, the API: .* answered 403, .*origin_not_allowed"):
        smoke.collected(f"{api}/clickstream", Canary(), "https://evil.example")
    with pytest.raises(Trouble, match=r"^Step 1, the API: .* does not answer"):
        smoke.collected("http://127.0.0.1:9/clickstream", Canary(), "")
    monkeypatch.setattr(smoke, "STORED_SECONDS", 0)
    with pytest.raises(Trouble, match=r"^Step 2, storage: no object"):
        smoke.stored("raw", Canary(), datetime.now(UTC))


# --- tunnel

#: Stands for AWS's plugin, which needs a session of AWS: it listens where it is told to.
PLUGIN = """#!{python}
import json, socket, sys
session, region, operation, profile, asked, endpoint = sys.argv[1:]
assert json.loads(session)["TokenValue"] and region == "eu-central-1" and operation == "StartSession"
listener = socket.create_server(("127.0.0.1", int(json.loads(asked)["Parameters"]["localPortNumber"][0])))
while True:
    listener.accept()[0].close()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """SSM's answer to StartSession, which no emulator gives, from a server of this test; and a plugin with this text."""
    import http.server

    class Ssm(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert asked["DocumentName"] == "AWS-StartPortForwardingSession" and asked["Target"] == "i-1"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"SessionId": "s", "TokenValue": "t", "StreamUrl": "wss://x"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ssm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told(monkeypatch, f"http://127.0.0.1:{server.server_port}")

    def install(text: str) -> None:
        program = tmp_path / tunnel.PLUGIN
        program.write_text(text.replace("{python}", sys.executable))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    yield install
    server.shutdown()
    client.cache_clear()


def test_a_tunnel_opens_what_is_asked_for_and_closes_it(session: Callable[[str], None]) -> None:
    session(PLUGIN)
    wanted = {"dagster": free_port(), "postgres": free_port()}
    with tunnel.forwards("i-1", wanted):
        assert all(tunnel._answers(port) for port in wanted.values())
    assert not any(tunnel._answers(port) for port in wanted.values())


def test_a_tunnel_that_does_not_open_says_why(session: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    session("#!/bin/sh\necho 'TargetNotConnected' >&2; exit 1\n")
    with (
        pytest.raises(Trouble, match=r"tunnel to dagster ended at once.*TargetNotConnected"),
        tunnel.forwards("i-1", {"dagster": free_port()}),
    ):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(Trouble, match=f"Port {port} is taken.*--port dagster="),
            tunnel.forwards("i-1", {"dagster": port}),
        ):
            pass
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Trouble, match="is not installed"), tunnel.forwards("i-1", {"dagster": 1}):
        pass


# --- at the edges


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    done = command(name, "--help")
    assert done.returncode == 0
    assert "ENV" in done.stdout and len(done.stdout.splitlines()) > 10


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    done = command(name, "Prod/../x")
    assert done.returncode == 2
    assert "2 to 12 lower-case letters" in done.stderr


@pytest.mark.parametrize("name", ["smoke", "tunnel", "destroy"])
def test_what_is_not_there_is_one_sentence(cloud: None, name: str) -> None:
    done = command(name, "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no stack clickstream-nothing here.")
    assert len(done.stderr.splitlines()) == 1


def test_make_asks_for_the_installation() -> None:
    done = subprocess.run(
        ["make", "-s", "-o", ".venv/bin/clickstream", "deploy"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "make deploy ENV=prod" in done.stderr
