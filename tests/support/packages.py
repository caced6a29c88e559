"""The Lambda packages as they are uploaded, unpacked as Lambda unpacks them. Built once for each state of the sources; the
libraries in them stay in build/packages/ for the next time."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra_cfn.packages.archive import write_zip
from infra_cfn.packages.build import WORK, lay_out
from infra_cfn.packages.contents import Contents
from support.lambdas import MACHINE


@contextmanager
def unpacked(contents: Contents) -> Iterator[Path]:
    """The package for this machine's processor, from its zip."""
    with tempfile.TemporaryDirectory(prefix="clickstream-package-") as folder:
        packed = Path(folder) / "package.zip"
        # A folder of its own: two test processes may build at once.
        tree = lay_out(contents, MACHINE, WORK, Path(folder) / "laid_out")
        write_zip(tree, packed, level=1)
        shutil.rmtree(tree)
        task = Path(folder) / "task"
        with zipfile.ZipFile(packed) as held:
            for entry in held.infolist():
                (task / entry.filename).parent.mkdir(parents=True, exist_ok=True)
                (task / entry.filename).write_bytes(held.read(entry))
                (task / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
        packed.unlink()
        Path(folder).chmod(0o755)
        yield task
