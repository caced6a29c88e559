"""`deploy` from its command line, in a folder like a checkout, against an emulator: a plan, and then for real."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra_cfn.packages.sources import sources
from support import emulator
from support.emulator import Emulator
from support.templates import FOLDER, emulable

CHOSEN = """
AlertEmail: you@shop.test
ShopOrigins: [https://shop.test]
AvailabilityZone: eu-central-1a
Region: eu-central-1
"""
Deploy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of the repository that the command reads, with a release that is small."""
    folder = tmp_path_factory.mktemp("checkout")
    infra, dist = folder / "infra_cfn", folder / "dist" / "lambda" / "arm64"
    for name in ("commands", "oltp", "packages"):
        shutil.copytree(FOLDER / name, infra / name, ignore=shutil.ignore_patterns("__pycache__"))
    machine = infra / "commands" / "machine.py"
    impatient = machine.read_text().replace("AGENT_SECONDS = 300", "AGENT_SECONDS = 1")
    assert impatient != machine.read_text()  # the emulator has no machine, and five minutes would not bring one
    machine.write_text(impatient)
    for file in FOLDER.glob("*.yaml"):
        (infra / file.name).write_text(emulable(file.name))
    (infra / "environments").mkdir()
    (infra / "environments" / "prod.yml").write_text(CHOSEN)
    (infra / "environments" / "edge.yml").write_text(CHOSEN + "CloudFront: only\n")
    dist.mkdir(parents=True)
    files = {name: name.encode() for name in ("ingest_lambda.zip", "etl_lambda.zip", "instance.tar.gz")}
    for name, content in files.items():
        (dist / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    said = {"release": "0.3.0-abc", "arch": "arm64", "sources": sources(folder), "files": digests}
    (dist / "release.json").write_text(json.dumps(said))
    return folder


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    with emulator.running(folder, folder / "log") as running:
        yield running


@pytest.fixture
def deploy(aws: Emulator, checkout: Path) -> Deploy:
    """Run it with credentials, a region by the name that everybody uses, and nothing else of AWS."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": aws.url}

    def run(*words: str, command: str = "deploy", **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"infra_cfn.commands.{command}", *words],
            cwd=checkout, env={**environ, **keys, **given}, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    return run


def names(aws: Emulator) -> set[str]:
    listed = aws.client("cloudformation").list_stacks()["StackSummaries"]
    return {one["StackName"] for one in listed if one["StackStatus"] != "DELETE_COMPLETE"}


def test_what_cannot_be_deployed_is_told_before_anything_is_made(aws: Emulator, deploy: Deploy, checkout: Path) -> None:
    folder = checkout / "infra_cfn" / "environments"
    wrong = {
        "nowhere": (CHOSEN.replace("Region: eu-central-1\n", ""), "must say Region"),
        "unfilled": (CHOSEN.replace("you@shop.test", "you@shop.example"), "still has the example's AlertEmail"),
        "huge": (CHOSEN + "WarehouseSize: xlarge\n", "may be small, medium, large"),
    }
    for name, (text, told) in wrong.items():
        (folder / f"{name}.yml").write_text(text)
        done = deploy(name)
        assert done.returncode == 1 and told in done.stderr and len(done.stderr.splitlines()) == 1
    done = deploy("staging")
    assert done.returncode == 1 and "Copy example.yml" in done.stderr and len(done.stderr.splitlines()) == 1
    assert names(aws) == set()


def test_code_that_was_changed_after_it_was_packed_is_not_deployed(deploy: Deploy, checkout: Path) -> None:
    later = checkout / "ingest_lambda" / "later.py"
    later.parent.mkdir()
    later.write_text("")
    done = deploy("prod")
    assert done.returncode == 1 and "make package ARGS=arm64" in done.stderr
    later.unlink()


def test_a_plan_and_then_for_real(aws: Emulator, deploy: Deploy) -> None:
    done = deploy("prod", "--plan")
    assert (done.returncode, done.stderr) == (0, "")
    assert names(aws) == {"clickstream-prod-artifacts"}
    assert "clickstream-prod/Ingest (AWS::CloudFormation::Stack)" in " ".join(done.stdout.split())
    assert aws.client("ssm").describe_parameters()["Parameters"] == []

    done = deploy("prod")
    assert (done.returncode, done.stderr) == (0, "")
    [root] = aws.client("cloudformation").describe_stacks(StackName="clickstream-prod")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in root["Outputs"]}
    assert root["StackStatus"] == "CREATE_COMPLETE"
    assert {one["Key"]: one["Value"] for one in root["Tags"]} == {"project": "clickstream", "environment": "prod"}
    assert outputs["CollectorUrl"] in done.stdout
    assert aws.client("ssm").get_parameter(Name="/clickstream/prod/ingest/hash_salt", WithDecryption=True)
    told = aws.client("lambda").get_function_configuration(FunctionName="clickstream-prod-etl")["Environment"][
        "Variables"
    ]
    assert told["RAW_BUCKET_NAME"] == outputs["RawBucket"]
    settings = aws.client("ssm").get_parameter(Name="/clickstream/prod/machine/settings")["Parameter"]["Value"]
    assert "RELEASE=0.3.0-abc" in settings.splitlines()

    # The emulator has no machine: the step after the stack, which tells a machine that was there of the release, says so.
    done = deploy("prod")
    assert "clickstream-prod: nothing to change." in done.stdout
    assert done.returncode == 1 and done.stderr.startswith("Systems Manager has not seen ")


def test_a_release_is_deployed_by_its_name_without_what_is_built_here(deploy: Deploy, checkout: Path) -> None:
    # The emulator cannot update the stacks below the root, so that the way to another release is in test_going_back.py.
    built = checkout / "dist"
    built.rename(checkout / "elsewhere")
    try:
        done = deploy("prod", "--release", "0.3.0-abc")
        assert "Release 0.3.0-abc (arm64)" in done.stdout and "clickstream-prod: nothing to change." in done.stdout
        assert done.returncode == 1 and "there is nothing to go back to" in done.stderr  # there is no machine
        done = deploy("prod", "--release", "0.1.0")
        assert done.returncode == 1 and "There are: 0.3.0-abc." in done.stderr
    finally:
        (checkout / "elsewhere").rename(built)


def test_with_cloudfront_there_is_a_firewall_and_no_way_around_it(
    aws: Emulator, deploy: Deploy, checkout: Path
) -> None:
    # A plan makes nothing that costs, and what it makes can be taken away again.
    assert deploy("edge", "--plan").returncode == 0
    assert {name for name in names(aws) if "edge" in name} == {"clickstream-edge-artifacts"}
    assert deploy("edge", command="destroy").returncode == 0
    assert not [name for name in names(aws) if "edge" in name]

    done = deploy("edge")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cloudfront.net/clickstream" in done.stdout
    [firewall] = aws.client("cloudformation", region="us-east-1").describe_stacks(StackName="clickstream-edge-waf")[
        "Stacks"
    ]
    assert firewall["StackStatus"] == "CREATE_COMPLETE"
    name = "/clickstream/edge/ingest/origin_secret"
    secret = aws.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    told = aws.client("lambda").get_function_configuration(FunctionName="clickstream-edge-ingest")["Environment"][
        "Variables"
    ]
    assert told["CLICKSTREAM_ORIGIN_SECRET_PARAMETER"] == name
    distributions = aws.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    sent = [header for one in distributions for header in one["Origins"]["Items"][0]["CustomHeaders"]["Items"]]
    assert sent == [{"HeaderName": "x-clickstream-origin-secret", "HeaderValue": secret}]
    assert secret not in done.stdout

    # To stop it is to stop paying for the firewall too.
    assert deploy("edge", command="destroy").returncode == 0
    left = aws.client("cloudformation", region="us-east-1").list_stacks()["StackSummaries"]
    assert [one["StackStatus"] for one in left if one["StackName"] == "clickstream-edge-waf"] == ["DELETE_COMPLETE"]
