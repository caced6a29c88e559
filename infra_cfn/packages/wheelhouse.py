"""The warehouse machine's archive: what it runs at its first boot (infra_cfn/instance/), and every wheel that it installs.

The machine has no way to PyPI. There: pip install --no-index --no-deps wheelhouse/*.whl
(--no-deps because the wheels are the lock's own list, resolved already; see `left_out` in contents.py.)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from infra_cfn.packages.archive import write_tar
from infra_cfn.packages.contents import INSTANCE, ROOT
from infra_cfn.packages.targets import Target
from infra_cfn.packages.wheels import fetch, our_wheel

SCRIPTS = ROOT / "infra_cfn" / "instance"


def write_instance(target: Target, to: Path, work: Path) -> None:
    """Write the archive: the scripts at its top, `wheelhouse/` beside them."""
    wheels = fetch(INSTANCE.lock, target, work / target.arch / "wheels")
    scripts = [file for file in SCRIPTS.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    with tempfile.TemporaryDirectory() as folder:
        files = {f"wheelhouse/{wheel.name}": wheel for wheel in [*wheels, our_wheel(Path(folder))]}
        write_tar(files | {file.relative_to(SCRIPTS).as_posix(): file for file in scripts}, to)
