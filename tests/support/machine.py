"""A machine that has just been switched on: Debian's systemd as process 1, on a file system of its own, with no network but
its loopback. Needs root, systemd-nspawn and debootstrap, and says so."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.debian import mirror, run, tree

NEEDED = ("debootstrap", "systemd-nspawn", "nsenter", "losetup", "ip")
_ENVIRON = ("env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8")


def check_host() -> None:
    """Raises when this host cannot run a machine; the message says what it lacks."""
    assert os.geteuid() == 0, "A machine is booted by root only. Run these tests as root, or leave them to CI."
    missing = [name for name in NEEDED if not shutil.which(name)]
    assert not missing, f"{', '.join(missing)} missing: apt-get install debootstrap systemd-container iproute2"


@dataclass
class Machine:
    """A machine that runs. `leader` is its process 1, as this host counts; `upper` is what it has written to its root."""

    leader: int
    upper: Path

    def run(self, *command: str, stdin: str = "") -> str:
        """The output of a command on the machine; an error when it fails."""
        return run("nsenter", "-t", str(self.leader), "--all", "--", *_ENVIRON, *command, input=stdin)

    def bash(self, script: str) -> str:
        return self.run("bash", "-euo", "pipefail", "-c", script)

    def fails(self, script: str) -> str:
        """What a script says that must fail."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "--all", "--", *_ENVIRON, "bash", "-euo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def nearby(self, code: str, *arguments: str) -> str:
        """Run Python of this host with the machine's network and nothing else of it."""
        command = ["nsenter", "-t", str(self.leader), "--net", "--", sys.executable, "-c", code, *arguments]
        return run(*command, timeout=120)

    def http(self, url: str, body: object = None) -> str:
        """The answer of a server on the machine's loopback address."""
        code = (
            "import sys, urllib.request as u;"
            "data = sys.argv[2].encode() or None;"
            "r = u.Request(sys.argv[1], data, {'content-type': 'application/json'});"
            "print(u.urlopen(r, timeout=60).read().decode())"
        )
        return self.nearby(code, url, "" if body is None else json.dumps(body))

    def graphql(self, query: str, **variables: object) -> Any:
        """Ask the Dagster UI's own interface."""
        answer = json.loads(self.http("http://127.0.0.1:3000/graphql", {"query": query, "variables": variables}))
        assert "errors" not in answer, answer
        return answer["data"]

    def bootstrap(self, settings: dict[str, str]) -> str:
        """Run bootstrap.sh as UserData would, and return what it said."""
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        self.run("install", "-D", "-m", "600", "/dev/stdin", "/etc/clickstream/machine.env", stdin=lines)
        return self.run("/release/bootstrap.sh")


@contextmanager
def disk(folder: Path, name: str, megabytes: int = 3_000) -> Iterator[str]:
    """A disk, empty unless there is an image of this name; its device."""
    image = folder / name
    with image.open("ab") as file:
        file.truncate(megabytes * 1_000_000)
    device = run("losetup", "--find", "--show", image).strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)
        image.unlink()


@contextmanager
def machine(
    folder: Path, release: Path, *devices: str, shared: Path, installed: Path | None = None
) -> Iterator[Machine]:
    """Boot a fresh machine with these disks, and switch it off at the end. `shared` is its /srv/shared; `installed` are
    releases that another machine has installed."""
    check_host()
    root = folder / "root"
    for name in ("root", "upper", "work"):
        (folder / name).mkdir(parents=True)
    with ExitStack() as ending:
        layers = f"lowerdir={tree()},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", layers, root)
        ending.callback(run, "umount", "--recursive", "--lazy", root)
        (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/mirror ./\n")
        # Only the test's patience depends on it: dpkg would wait for the disk after each file.
        (root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")
        bound = [f"--bind={device}" for device in devices]
        bound.append(f"--bind={shared}:/srv/shared")
        if installed:
            bound.append(f"--bind-ro={installed}:/opt/clickstream/releases")
        command = [
            *("systemd-nspawn", f"--directory={root}", f"--machine=clickstream-{os.getpid()}-{time.monotonic_ns()}"),
            *("--boot", "--private-network", "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no"),
            *(f"--bind-ro={mirror()}:/mirror", f"--bind-ro={release}:/release", *bound),
        ]
        console = (folder / "console").open("wb")
        ending.callback(console.close)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        ending.callback(_switch_off, process)
        yield _booted(process, folder)


def _booted(process: subprocess.Popen[bytes], folder: Path) -> Machine:
    console = folder / "console"
    for _ in range(300):
        assert process.poll() is None, f"systemd-nspawn ended: {console.read_text()}"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            found = Machine(int(children[0]), folder / "upper")
            said = subprocess.run(
                ["nsenter", "-t", children[0], "--all", "--", *_ENVIRON, "systemctl", "is-system-running"],
                capture_output=True,
                text=True,
            )
            if said.stdout.strip() in ("running", "degraded"):
                return found
        time.sleep(0.1)
    raise AssertionError(f"the machine did not boot: {console.read_text()[-3000:]}")


def _switch_off(process: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGRTMIN + 4)  # systemd's own signal for: power off
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        process.wait(30)
