"""Archives that are the same bytes whenever, wherever and by whomever they are made: times, owners, modes and order are ours."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

#: 1 January 1980, the first day that a zip file knows.
EPOCH = 315_532_800
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def write_zip(folder: Path, to: Path, level: int = 9) -> int:
    """Pack a folder; the size of what is in it."""
    total = 0
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed:
        for place in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()):
            entry = zipfile.ZipInfo(place, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on any system: only then do the modes count
            entry.external_attr = (0o100000 | _mode(place)) << 16
            data = (folder / place).read_bytes()
            total += len(data)
            packed.writestr(entry, data)
    return total


def write_tar(files: Mapping[str, Path], to: Path) -> None:
    """Pack files by their place in the archive."""
    with to.open("wb") as raw:
        pack_tar(files, raw)


def pack_tar(files: Mapping[str, Path], raw: IO[bytes]) -> None:
    """The same into a stream. Wheels are compressed already, so little is tried."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for place, file in sorted(files.items()):
            entry = tarfile.TarInfo(place)
            data = file.read_bytes()
            entry.size, entry.mtime, entry.mode = len(data), EPOCH, _mode(place)
            archive.addfile(entry, io.BytesIO(data))


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _mode(place: str) -> int:
    return 0o755 if place.endswith((".sh", ".so")) or ".so." in place else 0o644
