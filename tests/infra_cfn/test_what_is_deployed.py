"""A release, the secrets, the zone, and what a person chose."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra_cfn.commands import capacity, choices, keys, releases, stacks
from infra_cfn.commands.account import Trouble, client
from infra_cfn.packages.sources import sources
from support.templates import FOLDER


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What `make package` leaves, but small."""
    folder = tmp_path / "arm64"
    folder.mkdir()
    files = {name: name.encode() * 1000 for name in ("ingest_lambda.zip", "etl_lambda.zip", "instance.tar.gz")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    (folder / "release.json").write_text(
        json.dumps({"release": "0.2.0-abc", "arch": "arm64", "sources": sources(), "files": digests})
    )
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
    assert releases.templates_url(release.name, "artifacts").endswith(f"/{at}/templates")


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
    zone = capacity.zone("arm64", None)
    offers = client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "location", "Values": [zone]}]
    )["InstanceTypeOfferings"]
    assert "t4g.small" in {one["InstanceType"] for one in offers}
    there = stacks.Stack("id", "UPDATE_COMPLETE", {"AvailabilityZone": "eu-central-1c"}, {})
    assert capacity.zone("arm64", there) == "eu-central-1c"


def account_with(monkeypatch: pytest.MonkeyPatch, unreserved: int) -> None:
    settings = {"AccountLimit": {"UnreservedConcurrentExecutions": unreserved}}
    monkeypatch.setattr(capacity, "client", lambda service: SimpleNamespace(get_account_settings=lambda: settings))


@pytest.mark.parametrize(("unreserved", "reserved"), [(10, "0"), (101, "0"), (102, "2"), (1000, "2")])
def test_a_new_account_reserves_nothing_that_lambda_would_refuse(
    monkeypatch: pytest.MonkeyPatch, unreserved: int, reserved: str
) -> None:
    account_with(monkeypatch, unreserved)
    assert capacity.reservation(None) == reserved
    failed = stacks.Stack("id", "ROLLBACK_COMPLETE", {"EtlReservedConcurrency": "2"}, {})
    assert capacity.reservation(failed) == reserved
    # What it has reserved itself is not unreserved any more: it stays as it came up.
    came_up = stacks.Stack("id", "UPDATE_COMPLETE", {"EtlReservedConcurrency": "2"}, {"RawBucket": "raw"})
    assert capacity.reservation(came_up) == "2"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, "Copy example.yml"),
        ("Region: x\nAlertEmail: a@b.example", "must say ShopOrigins"),
        ("Region: x\nAlertEmial: a@b.example", "AlertEmial cannot be chosen"),
        ("Region: x\nOriginSecret: hunter2", "OriginSecret cannot be chosen"),
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
        "Region: eu-central-1\n"
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
    with pytest.raises(Trouble, match=r"still has the example's AlertEmail, ShopHosts, ShopOrigins"):
        choices.read("example", tmp_path)
    (tmp_path / "mine.yml").write_text(example.replace("shop.example", "shop.test"))
    assert choices.read("mine", tmp_path)["ShopHosts"] == "shop.test,www.shop.test"
    assert choices.read("mine", tmp_path)["FirstHour"] == "2026-01-01T00:00Z"
