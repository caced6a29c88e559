"""AWS on this machine, as the commands find it: by the usual variables."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator

import pytest

from infra_cfn.commands import stacks, watching
from infra_cfn.commands.account import client
from infra_cfn.packages.build import WORK, libraries
from infra_cfn.packages.contents import ETL, INGEST, INSTANCE, RUNTIME
from infra_cfn.packages.targets import TARGETS
from infra_cfn.packages.wheels import fetch
from support import emulator
from support.alone import alone
from support.aws import moto_server
from support.lambdas import MACHINE


def tell(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let the commands find this, and nothing else of AWS."""
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


@pytest.fixture(scope="session")
def wheels() -> None:
    """What the packages' locks name lies in build/ from here on: one test process fetches it, the others wait."""
    with alone("packages"):
        for target in TARGETS:
            libraries(INGEST, target, WORK)
        for contents, target in ((ETL, TARGETS[0]), (ETL, MACHINE), (RUNTIME, MACHINE)):
            libraries(contents, target, WORK)
        fetch(INSTANCE.lock, MACHINE, WORK / MACHINE.arch / "wheels")


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulator")
    with emulator.running(folder, folder / "log") as aws:
        yield aws.url


@pytest.fixture
def cloudformation(emulated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """CloudFormation that creates stacks, of ministack."""
    tell(monkeypatch, emulated)
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.1)
    yield
    stacks.delete("clickstream-prod-artifacts")
    client.cache_clear()


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """S3, SSM and EC2 of moto."""
    with moto_server() as url:
        tell(monkeypatch, url)
        urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
        yield url
    client.cache_clear()
