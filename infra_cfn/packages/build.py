"""`make package`: both Lambda packages and the warehouse machine's archive, for each processor, into dist/lambda/.

Run: python -m infra_cfn.packages.build [x86_64|arm64]

The same sources and locks give the same bytes, so a release is named by its content, and one that is there already is
left as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from infra_cfn.packages.archive import digest, write_zip
from infra_cfn.packages.bytecode import compile_all
from infra_cfn.packages.contents import ETL, INGEST, ROOT, Contents
from infra_cfn.packages.sources import sources
from infra_cfn.packages.targets import TARGETS, Target
from infra_cfn.packages.wheelhouse import write_instance
from infra_cfn.packages.wheels import fetch, our_version, unpack

#: Lambda's limits: of a zip that is uploaded directly (larger ones go through S3, as ours do), and of what is in it.
DIRECT_LIMIT = 50 * 1024 * 1024
UNPACKED_LIMIT = 250 * 1024 * 1024
#: A package must stay this far below the limit of what is in it, so that the next version of a library still fits.
LEAST_MARGIN = 0.2
DIST = ROOT / "dist" / "lambda"
WORK = ROOT / "build" / "packages"


class TooLarge(RuntimeError):
    """A package is too near to Lambda's limit; the message says by how much, and what to look at."""


def build(target: Target, dist: Path = DIST, work: Path = WORK) -> dict[str, Any]:
    """Build what is deployed on one processor; what release.json says of it."""
    folder = dist / target.arch
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for contents in (INGEST, ETL):
        tree = lay_out(contents, target, work, work / target.arch / contents.name)
        unpacked = write_zip(tree, folder / f"{contents.name}.zip")
        sizes[contents.name] = {"zip": (folder / f"{contents.name}.zip").stat().st_size, "unpacked": unpacked}
        _check(contents, target, sizes[contents.name])
    write_instance(target, folder / "instance.tar.gz", work)
    files = {file.name: digest(file) for file in sorted(folder.iterdir()) if file.suffix in (".zip", ".gz")}
    content = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    release = {
        "release": f"{our_version()}-{content[:10]}",
        "arch": target.arch,
        "sources": sources(),
        "files": files,
        "sizes": sizes,
    }
    (folder / "release.json").write_text(json.dumps(release, indent=2) + "\n")
    return release


def lay_out(contents: Contents, target: Target, work: Path, tree: Path) -> Path:
    """The package as it lies in /var/task: libraries (kept for the next build), our files over them, all compiled."""
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(libraries(contents, target, work), tree)
    for place, file in contents.files():
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, tree / place)
    compile_all(tree, target.python, *contents.ours)
    return tree


def libraries(contents: Contents, target: Target, work: Path) -> Path:
    """The wheels of the lock, unpacked and compiled: once for each lock."""
    recipe = contents.lock.read_bytes() + Path(__file__).with_name("wheels.py").read_bytes()
    tree = work / target.arch / f"{contents.name}-{hashlib.sha256(recipe).hexdigest()[:12]}"
    if not tree.exists():
        wheels = fetch(contents.lock, target, work / target.arch / "wheels")
        fresh = tree.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        unpack(wheels, fresh)
        compile_all(fresh, target.python)
        fresh.rename(tree)
    return tree


def _check(contents: Contents, target: Target, size: dict[str, int]) -> None:
    margin = 1 - size["unpacked"] / UNPACKED_LIMIT
    direct = "below" if size["zip"] <= DIRECT_LIMIT else "above"
    print(
        f"{target.arch:7} {contents.name:14} zip {size['zip'] / 2**20:6.1f} MB ({direct} the 50 MB of a direct upload), "
        f"unpacked {size['unpacked'] / 2**20:6.1f} of 250 MB: {100 * margin:.0f} % to spare"
    )
    if size["unpacked"] > (1 - LEAST_MARGIN) * UNPACKED_LIMIT:
        raise TooLarge(
            f"{contents.name} leaves {100 * margin:.0f} % of Lambda's 250 MB, and {100 * LEAST_MARGIN:.0f} % are asked for. "
            "See what is large in it, and what of that is never imported (contents.py, left_out)."
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arch", nargs="?", choices=[target.arch for target in TARGETS], help="default: both")
    chosen = parser.parse_args().arch
    for one in TARGETS:
        if chosen in (None, one.arch):
            made = build(one)
            print(f"{one.arch:7} release {made['release']} in {(DIST / one.arch).relative_to(ROOT)}/")
