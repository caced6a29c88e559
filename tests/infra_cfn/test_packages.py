"""What is in the packages, that they are the same bytes each time, and that they fit."""

from __future__ import annotations

import _imp
import hashlib
import os
import re
import shutil
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from infra_cfn.packages import build, wheelhouse
from infra_cfn.packages.archive import write_tar, write_zip
from infra_cfn.packages.bytecode import interpreter
from infra_cfn.packages.contents import ETL, INGEST, INSTANCE, ROOT, RUNTIME
from infra_cfn.packages.lock import versions
from infra_cfn.packages.targets import TARGETS, Target
from infra_cfn.packages.wheels import our_wheel
from support.lambdas import MACHINE

pytestmark = pytest.mark.usefixtures("wheels")
LOCKED = (INGEST, ETL, INSTANCE, RUNTIME)
#: The processor of an ELF file, as its header names it.
MACHINES = {"x86_64": 62, "arm64": 183}


def locked(name: str) -> dict[str, str]:
    """Name and version of each line of a lock."""
    text = (ROOT / "infra_cfn" / "packages" / "locks" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", [contents.name for contents in LOCKED])
def test_a_lock_has_the_versions_of_constraints_txt(name: str) -> None:
    pins = versions()
    assert locked(name)
    assert {one: pins.get(one) for one in locked(name)} == locked(name), "run: make locks"


def test_the_locks_hold_every_root_and_nothing_that_is_left_out() -> None:
    for contents in LOCKED:
        held = set(locked(contents.name))
        roots = {canonicalize_name(root) for root in contents.roots if not root.startswith("clickstream[")}
        assert roots <= held
        assert not held & set(contents.left_out)
    assert not set(locked("etl_lambda")) & {"pandas", "numpy", "dagster-aws", "boto3", "botocore"}


@pytest.fixture(scope="module", params=TARGETS, ids=lambda target: target.arch)
def ingest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Target, Path]:
    """The collector's package for each processor."""
    folder = tmp_path_factory.mktemp("ingest")
    write_zip(build.lay_out(INGEST, request.param, build.WORK, folder / "tree"), folder / "package.zip")
    return request.param, folder / "package.zip"


def test_compiled_code_is_for_the_processor_and_the_python_that_run_it(ingest: tuple[Target, Path]) -> None:
    target, package = ingest
    magic = subprocess.check_output(
        [
            interpreter(target.python),
            "-c",
            "import importlib.util, sys; sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER)",
        ]
    )
    with zipfile.ZipFile(package) as held:
        names = held.namelist()
        libraries = [name for name in names if name.endswith(".so")]
        assert len(libraries) == 2
        for name in libraries:
            assert struct.unpack_from("<H", held.read(name), 18) == (MACHINES[target.arch],)
        sources = [name for name in names if name.endswith(".py")]
        tag = f"cpython-{target.python.replace('.', '')}"
        compiled = [f"{os.path.dirname(name)}/__pycache__/{Path(name).stem}.{tag}.pyc" for name in sources]
        assert set(compiled) <= set(names)
        for name in compiled:
            head = held.read(name)[:16]
            assert head[:4] == magic
            assert struct.unpack_from("<I", head, 4) == (0b01,), "hash-based and unchecked"
            source = sources[compiled.index(name)]
            assert head[8:] == _imp.source_hash(int.from_bytes(magic, "little"), held.read(source)), name


def test_only_what_runs_is_in_it(ingest: tuple[Target, Path]) -> None:
    with zipfile.ZipFile(ingest[1]) as held:
        names = held.namelist()
        modes = {entry.filename: entry.external_attr >> 16 for entry in held.infolist()}
    tops = {name.partition("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"ingest_lambda", "msgspec", "obstore"}
    assert not [
        name for name in names if re.search(r"(^|/)tests/|\.pyi$|^ingest_lambda/(schema|typescript)\.py$", name)
    ]
    assert {oct(mode) for name, mode in modes.items() if name.endswith(".so")} == {"0o100755"}
    assert {oct(mode) for name, mode in modes.items() if not name.endswith(".so")} == {"0o100644"}


def test_the_collector_s_package_is_a_few_megabytes(ingest: tuple[Target, Path]) -> None:
    assert ingest[1].stat().st_size < 8_000_000


@pytest.fixture
def other_circumstances() -> Iterator[None]:
    mask = os.umask(0o077)
    yield
    os.umask(mask)


def test_the_same_sources_give_the_same_bytes(
    ingest: tuple[Target, Path], other_circumstances: None, tmp_path: Path
) -> None:
    """Another folder, other modes, other times, and libraries unpacked and compiled anew."""
    target, package = ingest
    work = tmp_path / "work"
    shutil.copytree(build.WORK / target.arch / "wheels", work / target.arch / "wheels")
    write_zip(build.lay_out(INGEST, target, work, tmp_path / "elsewhere" / "tree"), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()


def test_the_larger_package_is_laid_out_the_same_from_its_wheels_again(tmp_path: Path) -> None:
    """Unpacked and compiled anew, in another folder."""
    target, trees, other = TARGETS[0], [], tmp_path / "work"
    shutil.copytree(build.WORK / target.arch / "wheels", other / target.arch / "wheels")
    for work in (build.WORK, other):
        tree = build.lay_out(ETL, target, work, tmp_path / "tree")
        files = (file for file in sorted(tree.rglob("*")) if file.is_file())
        trees.append({file.relative_to(tree): hashlib.sha256(file.read_bytes()).digest() for file in files})
    assert len(trees[0]) > 2_000
    assert [file for file in trees[0].keys() | trees[1].keys() if trees[0].get(file) != trees[1].get(file)] == []


def test_our_wheel_is_the_same_bytes_and_carries_the_compiled_theme(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = our_wheel(tmp_path / "one"), our_wheel(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as held:
        assert b"#3f51b5" in held.read("clickstream_shiny/theme.css").lower()


def test_a_package_that_leaves_too_little_room_is_refused() -> None:
    room = int(build.UNPACKED_LIMIT * (1 - build.LEAST_MARGIN))
    build._check(ETL, TARGETS[0], {"zip": 1, "unpacked": room})
    with pytest.raises(build.TooLarge, match=r"leaves 19 % of Lambda's 250 MB, and 20 % are asked for"):
        build._check(ETL, TARGETS[0], {"zip": 1, "unpacked": room + 2_000_000})


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the warehouse's machine unpacks."""
    folder = tmp_path_factory.mktemp("machine")
    wheelhouse.write_instance(MACHINE, folder / "instance.tar.gz", build.WORK)
    with tarfile.open(folder / "instance.tar.gz") as held:
        held.extractall(folder, filter="data")
    return folder


def test_the_machine_s_archive_holds_its_scripts_and_every_wheel_of_its_lock(machine: Path) -> None:
    assert (machine / "bootstrap.sh").stat().st_mode & 0o777 == 0o755
    scripts = {file.relative_to(wheelhouse.SCRIPTS) for file in wheelhouse.SCRIPTS.rglob("*") if file.is_file()}
    assert len(scripts) > 10
    assert all((machine / script).read_bytes() == (wheelhouse.SCRIPTS / script).read_bytes() for script in scripts)
    wheels = {canonicalize_name(wheel.name.split("-")[0]) for wheel in (machine / "wheelhouse").iterdir()}
    assert wheels == {*locked("instance"), "clickstream"}


def test_its_wheels_are_all_that_the_machine_s_python_needs(machine: Path, tmp_path: Path) -> None:
    """Installed as steps/50_software.sh does, without a network; what pip then misses is what we left out."""
    subprocess.run([interpreter(MACHINE.python), "-m", "venv", str(tmp_path / "venv")], check=True)
    python, wheels = tmp_path / "venv" / "bin" / "python", sorted(map(str, (machine / "wheelhouse").glob("*.whl")))
    install = [str(python), "-m", "pip", "install", "-q", "--no-cache-dir", "--no-compile", "--no-index", "--no-deps"]
    subprocess.run([*install, *wheels], check=True)
    checked = subprocess.run([str(python), "-m", "pip", "check"], capture_output=True, text=True).stdout.splitlines()
    missing = {re.search(r"requires (\S+), which is not installed", line) for line in checked}
    assert {found.group(1) if found else None for found in missing} == set(INSTANCE.left_out)
    code = (
        "import sys, clickstream_shiny, dagster_webserver, dagster_aws.s3, clickstream_dagster.definitions;"
        "sys.path.insert(0, list(clickstream_shiny.__path__)[0]); import app; print(app.THEME)"
    )
    environ = {"PATH": os.environ["PATH"], "DW_PG_HOST": "/nowhere", "CLICKSTREAM_HOME": str(tmp_path)}
    told = subprocess.check_output([str(python), "-W", "ignore", "-c", code], cwd=tmp_path, env=environ, text=True)
    assert told.strip().endswith("clickstream_shiny/theme.css")


def test_an_archive_is_the_same_bytes_whenever_and_by_whomever_it_is_made(tmp_path: Path) -> None:
    made = []
    for mode, moment in ((0o600, 1_000_000_000), (0o777, 1_700_000_000)):
        for name in ("run.sh", "one.txt"):
            (tmp_path / name).write_text(name)
            (tmp_path / name).chmod(mode)
            os.utime(tmp_path / name, (moment, moment))
        files = {name: tmp_path / name for name in ("run.sh", "one.txt")}
        write_tar(files if made else dict(reversed(files.items())), tmp_path / "made.tar.gz")
        made.append((tmp_path / "made.tar.gz").read_bytes())
    assert made[0] == made[1]
    with tarfile.open(tmp_path / "made.tar.gz") as held:
        assert {entry.name: entry.mode for entry in held.getmembers()} == {"one.txt": 0o644, "run.sh": 0o755}
