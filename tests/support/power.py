"""A disk whose power can be cut: ext4 in a file, mounted, and told to drop whatever it has not written to its journal."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

#: `EXT4_IOC_SHUTDOWN` of the Linux kernel, and its flag for "not even the journal is flushed".
_SHUTDOWN, _NO_FLUSH = 0x8004587D, 2


class Disk:
    """Mounted at `folder`."""

    def __init__(self, place: Path) -> None:
        if not (sys.platform == "linux" and os.geteuid() == 0) and not os.environ.get("CI"):
            pytest.skip("only root can mount a disk, and cut its power")
        self._image, self.folder = place / "disk.img", place / "disk"
        self.folder.mkdir()
        self._run("truncate", "--size", "64M", self._image)
        self._run("mkfs.ext4", "-q", self._image)
        # Nothing is written by the clock while a test runs.
        self._run("mount", "-o", "loop,commit=300", self._image, self.folder)

    def cut_power(self) -> None:
        """From here on every write fails."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
        finally:
            os.close(descriptor)

    def start_again(self) -> None:
        """As a machine does after a power cut. Who has the disk open must have ended."""
        self.unmount()
        self._run("mount", "-o", "loop", self._image, self.folder)

    def unmount(self) -> None:
        self._run("umount", self.folder)

    @staticmethod
    def _run(*command: str | Path) -> None:
        subprocess.run(command, check=True, env=os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"})
