"""Write `locks/*.txt` again: every wheel of each package, at the version of constraints.txt, with its hash on each processor.

Run after constraints.txt has changed: make locks. What a distribution requires is read from its wheel, by the target's
markers: pip would read them by those of the machine that it runs on.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from infra_cfn.packages.archive import digest
from infra_cfn.packages.contents import ETL, INGEST, INSTANCE, ROOT, RUNTIME, Contents
from infra_cfn.packages.targets import TARGETS, Target
from infra_cfn.packages.wheels import download, our_wheel

OURS = "clickstream"
_HEAD = "# Written by `make locks` from constraints.txt. Wheels for Python {python}, one hash for each processor.\n"


def versions() -> dict[str, str]:
    """The pins of constraints.txt, by canonical name."""
    pins = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def resolve(contents: Contents, target: Target, folder: Path) -> dict[str, str]:
    """Download into `folder` what the roots need on this target; version and hash of each, as a lock writes them."""
    pins, found = versions(), dict[str, str]()
    level = [Requirement(root) for root in contents.roots]
    seen: set[str] = set()
    while level:
        names = {canonicalize_name(wanted.name) for wanted in level} - set(contents.left_out) - {OURS}
        fresh = sorted(name for name in names if name not in found)
        unpinned = [name for name in fresh if name not in pins]
        if unpinned:
            raise SystemExit(f"{', '.join(unpinned)} is not pinned in constraints.txt. Run: make constraints")
        download([f"{name}=={pins[name]}" for name in fresh], target, folder)
        wheels = {str(parse_wheel_filename(wheel.name)[0]): wheel for wheel in folder.glob("*.whl")}
        found |= {name: f"{pins[name]} {digest(wheels[name])}" for name in fresh}
        asked = [wanted for wanted in level if str(wanted) not in seen]
        seen |= {str(wanted) for wanted in asked}
        level = [one for wanted in asked for one in _required(wanted, wheels, target, contents)]
    return found


def _required(
    wanted: Requirement, wheels: dict[str, Path], target: Target, contents: Contents
) -> Iterable[Requirement]:
    name = canonicalize_name(wanted.name)
    if name in contents.left_out:
        return
    with zipfile.ZipFile(wheels[name]) as wheel:
        [metadata] = [entry for entry in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", entry)]
        headers = HeaderParser().parsestr(wheel.read(metadata).decode())
    for line in headers.get_all("Requires-Dist") or ():
        one = Requirement(line)
        extras = wanted.extras or {""}
        if one.marker is None or any(one.marker.evaluate({**target.markers, "extra": extra}) for extra in extras):
            one.marker = None
            yield one


def write(contents: Contents) -> None:
    """Write one lock."""
    found: dict[str, dict[str, None]] = {}
    for target in TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            if contents is INSTANCE:
                our_wheel(Path(folder))
            for name, line in resolve(contents, target, Path(folder)).items():
                version, digest = line.split()
                found.setdefault(f"{name}=={version}", {})[f"--hash=sha256:{digest}"] = None
    lines = [" \\\n    ".join([wanted, *hashes]) for wanted, hashes in sorted(found.items())]
    contents.lock.write_text(_HEAD.format(python=TARGETS[0].python) + "\n".join(lines) + "\n")
    print(f"{contents.lock.relative_to(ROOT)}: {len(found)} distributions")


if __name__ == "__main__":
    for each in (INGEST, ETL, INSTANCE, RUNTIME):
        write(each)
