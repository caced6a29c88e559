"""The files of the warehouse's machine: what can be said of them without booting it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import boto3
import pytest
import yaml

from support.aws import moto_server

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = ROOT / "infra_cfn" / "instance"
SERVICES = sorted((INSTANCE / "systemd").glob("*.service"))


def test_the_scripts_have_nothing_that_shellcheck_minds() -> None:
    scripts = sorted(INSTANCE.glob("*.sh")) + sorted(INSTANCE.glob("steps/*.sh"))
    assert len(scripts) > 12
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "-x", "-P", "SCRIPTDIR", "-s", "bash", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_is_run_can_be_run() -> None:
    assert [file.name for file in INSTANCE.glob("*.sh") if not os.access(file, os.X_OK)] == []


def unit(file: Path) -> dict[str, str]:
    reader = ConfigParser(interpolation=None, strict=False)
    reader.optionxform = str  # type: ignore[assignment,method-assign]
    reader.read(file)
    return dict(reader["Service"])


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_a_service_has_as_little_as_it_needs(file: Path) -> None:
    service = unit(file)
    assert service["User"] in ("postgres", "clickstream", "clickstream-dashboard")
    assert service["ProtectSystem"] == "strict"
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelModules"):
        assert service[name] == "yes", name
    writable = service.get("ReadWritePaths", "").split()
    assert all(path.startswith("/var/lib/clickstream/") for path in writable)
    assert ("dashboard" in file.stem) == (not writable)


def test_the_services_fit_into_two_gigabytes() -> None:
    limits = [unit(file).get("MemoryMax", "") for file in SERVICES if unit(file).get("Type") == "exec"]
    assert len(limits) == 4
    assert sum(int(re.fullmatch(r"(\d+)M", limit)[1]) for limit in limits) < 2_000  # type: ignore[index]


@pytest.mark.parametrize("name", ["webserver", "dashboard", "location"])
def test_what_has_no_login_listens_to_the_machine_only(name: str) -> None:
    assert "--host 127.0.0.1 " in unit(INSTANCE / "systemd" / f"clickstream-{name}.service")["ExecStart"]


def test_every_dagster_instance_on_the_storage_has_the_same_pools() -> None:
    files = [*ROOT.glob("infra_cfn/**/dagster.yaml"), *ROOT.glob("clickstream_dagster/dagster.yaml")]
    assert len(files) >= 2
    pools = [yaml.safe_load(file.read_text()).get("concurrency", {}).get("pools") for file in files]
    assert pools == [None] * len(files)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.mark.parametrize("place", ["bucket", "folder"])
def test_a_backup_is_stored_and_found_in_a_bucket_and_in_a_folder(s3: str, place: str, tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": s3,
        "BACKUP_URL": "s3://backups/warehouse" if place == "bucket" else f"file://{tmp_path}",
    }
    if place == "bucket":
        client = boto3.client(
            "s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
        )
        client.create_bucket(Bucket="backups")

    def store(*words: str, data: bytes = b"") -> bytes:
        command = [sys.executable, INSTANCE / "store.py", *words]
        return subprocess.run(command, input=data, env=environ, capture_output=True, check=True).stdout

    # More than two parts, and the last one no whole one.
    data = os.urandom(1_000_003) * 20
    sent = store("put", "20260101T000000Z/clickstream_dw.dump", data=data)
    assert sent.decode().split() == [hashlib.sha256(data).hexdigest()]
    store("put", "20260102T000000Z/complete", data=b"")
    assert store("list").split() == [b"20260101T000000Z/clickstream_dw.dump", b"20260102T000000Z/complete"]
    assert store("get", "20260101T000000Z/clickstream_dw.dump") == data
    store("delete", "20260101T000000Z/")
    assert store("list").split() == [b"20260102T000000Z/complete"]
