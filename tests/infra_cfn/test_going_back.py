"""The way back: releases that lie in the bucket, and what happens when the machine does not take a new one."""

from __future__ import annotations

from typing import Any

import pytest

from infra_cfn.commands import going_back, machine, releases, stacks
from infra_cfn.commands.account import Trouble, client
from support.templates import FOLDER

OLD_ROOT = """
Parameters:
  Release: {Type: String}
  TemplatesUrl: {Type: String}
  OriginSecret: {Type: String, NoEcho: true}
  WarehouseSize: {Type: String}
"""


@pytest.fixture
def bucket(moto: str) -> str:
    """One with seven releases; the oldest has fewer parameters."""
    s3 = client("s3")
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    root = (FOLDER / "root.yaml").read_text()
    for number in range(1, 8):
        put = {
            "templates/root.yaml": OLD_ROOT if number == 1 else root,
            "instance.tar.gz": "machine",
            "ingest_lambda-arm64.zip": "ingest",
            "etl_lambda-arm64.zip": "etl",
        }
        for name, content in put.items():
            s3.put_object(Bucket="artifacts", Key=f"releases/{number}/{name}", Body=content.encode())
    s3.put_object(Bucket="artifacts", Key=releases.OLTP_KEY, Body=b"shared by all")
    return "artifacts"


def test_a_release_that_was_deployed_before_is_found_and_another_one_told(bucket: str) -> None:
    releases.check("3", "arm64", bucket)
    with pytest.raises(Trouble, match=r"Release 9 is not in artifacts: .*There are: .*7"):
        releases.check("9", "arm64", bucket)
    with pytest.raises(Trouble, match=r"ingest_lambda-x86_64.zip is missing"):
        releases.check("3", "x86_64", bucket)


def test_an_older_release_is_given_the_parameters_that_it_has(bucket: str) -> None:
    assert releases.root_parameters("1", bucket) == {"Release", "TemplatesUrl", "OriginSecret", "WarehouseSize"}
    assert "TickMinutes" in releases.root_parameters("7", bucket)


def test_of_old_releases_some_are_kept_and_the_one_in_use(bucket: str) -> None:
    before = releases.stored(bucket)
    oldest, *gone = [name for name in before if name not in before[-releases.RELEASES_KEPT :]]
    assert releases.prune(bucket, in_use=oldest) == gone
    assert set(releases.stored(bucket)) == {*before} - {*gone}
    for name in gone:
        assert client("s3").list_objects_v2(Bucket=bucket, Prefix=f"releases/{name}/")["KeyCount"] == 0
    assert client("s3").head_object(Bucket=bucket, Key=releases.OLTP_KEY)


BEFORE = {
    "Release": "1",
    "TemplatesUrl": "https://there/releases/1/templates",
    "OriginSecret": "****",
    "WarehouseSize": "small",
}
NOW = {
    **BEFORE,
    "Release": "7",
    "TemplatesUrl": "https://there/releases/7/templates",
    "WarehouseSize": "large",
    "TickMinutes": "5",
}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is done to the stack and to the machine, in order."""
    found: list[Any] = []
    monkeypatch.setattr(stacks, "change", lambda name, **how: found.append(how))
    monkeypatch.setattr(machine, "bring_to_release", found.append)
    return found


def after(bucket: str, now: dict[str, str] = NOW, before: dict[str, str] = BEFORE) -> str:
    stood = stacks.Stack("id", "UPDATE_COMPLETE", before, {"WarehouseMachine": "i-1"})
    stands = stacks.Stack("id", "UPDATE_COMPLETE", now, {"WarehouseMachine": "i-1"})
    return str(going_back.after(Trouble("The disk is full."), "prod", stood, stands, {}, bucket))


def test_everything_goes_back_to_the_release_before_with_its_settings(bucket: str, done: list[Any]) -> None:
    said = after(bucket)
    change, told = done
    assert change["template"] == {"TemplateURL": "https://there/releases/1/templates/root.yaml"}
    assert change["parameters"] == {name: BEFORE[name] for name in ("Release", "TemplatesUrl", "WarehouseSize")}
    # What CloudFormation hides stays as it is, and what the older one does not know is not given.
    assert set(change["keep"]) == BEFORE.keys()
    assert told == "i-1"
    assert said.startswith("The disk is full. Everything is back at 1")


def test_what_cannot_go_back_says_so_and_changes_nothing(bucket: str, done: list[Any]) -> None:
    assert "there is nothing to go back to" in after(bucket, {**NOW, "Release": "1"})
    assert "Build its commit" in after(bucket, before={**BEFORE, "Release": "0.1"})
    assert done == []


def test_a_way_back_that_fails_too_is_told_with_the_command(
    bucket: str, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(machine: str) -> None:
        raise Trouble("It is still full.")

    monkeypatch.setattr(machine, "bring_to_release", refuse)
    said = after(bucket)
    assert "The disk is full." in said and "It is still full." in said
    assert 'make deploy ENV=prod ARGS="--release 1"' in said
