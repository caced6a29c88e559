"""What a machine without a network needs: a fresh Debian and a mirror of the packages that bootstrap.sh installs, fetched once
and kept in the user's cache folder, each under a name that changes with what it is made of; and the archive of a release."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from infra_cfn.packages.build import WORK
from infra_cfn.packages.wheelhouse import write_instance
from support.lambdas import MACHINE

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clickstream" / "machine"
#: Its Python is the one that the wheels of a release are for.
SUITE = "trixie"
#: As small as one that boots can be: bootstrap.sh has to bring the rest.
BASE = ("systemd", "systemd-sysv", "dbus")
#: What steps/10_packages.sh asks apt for.
PACKAGES = ("postgresql", "python3", "python3-venv", "openssl", "curl", "e2fsprogs")


def run(*command: str | Path, **more: object) -> str:
    """The output of a command; an error with all of it when the command fails."""
    done = subprocess.run(command, capture_output=True, text=True, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return str(done.stdout)


def _kept(name: str, ingredients: object, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made when it is not there yet; a build that is cut off leaves nothing that looks whole."""
    sum_of = hashlib.sha256(repr(ingredients).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{sum_of}"
    if not folder.exists():
        partial = CACHE / f"{name}-partial-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        make(partial)
        partial.rename(folder)
    return folder


def tree() -> Path:
    """The root file system of a fresh machine."""

    def make(folder: Path) -> None:
        run("debootstrap", "--variant=minbase", f"--include={','.join(BASE)}", SUITE, folder)
        run("chroot", folder, "apt-get", "clean")

    return _kept("debian", (SUITE, BASE), make)


def mirror() -> Path:
    """A folder that apt takes for a repository: the packages, those they depend on, and an index of them."""

    def make(folder: Path) -> None:
        folder.mkdir()
        source = tree()
        archives = source / "var/cache/apt/archives"
        run("chroot", source, "apt-get", "update", "-qq")
        run("chroot", source, "apt-get", "install", "-y", "--download-only", "--no-install-recommends", *PACKAGES)
        entries = []
        for package in sorted(archives.glob("*.deb")):
            fields = run("dpkg-deb", "--field", package).strip()
            kept = Path(shutil.move(package, folder))
            digest = hashlib.sha256(kept.read_bytes()).hexdigest()
            entries.append(f"{fields}\nFilename: ./{kept.name}\nSize: {kept.stat().st_size}\nSHA256: {digest}\n")
        (folder / "Packages").write_text("\n".join(entries))

    return _kept("mirror", (SUITE, BASE, PACKAGES), make)


def release(folder: Path) -> Path:
    """The machine's archive as `make package` builds it, unpacked as UserData does."""
    archive = folder / "instance.tar.gz"
    write_instance(MACHINE, archive, WORK)
    unpacked = folder / "release"
    with tarfile.open(archive) as packed:
        packed.extractall(unpacked, filter="data")
    archive.unlink()
    return unpacked
