"""A folder as the raw bucket: what is put there survives a power cut, or is not said to be stored."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

#: Where an object is written before it has its name. No reader looks there.
UNFINISHED = ".unfinished"
#: What lies there longer was left by a process that was killed: a write takes seconds.
STALE_SECONDS = 3600
_BLOCK_BYTES = 1 << 20
#: Linux has files that have no name until they are linked, so that whoever is killed leaves none behind.
_NAMELESS = getattr(os, "O_TMPFILE", 0) if os.path.exists("/proc/self/fd") else 0


class FolderStore(LocalStore):
    """obstore's folder, with a `put` that syncs. Only the owner can read what is in it."""

    def __init__(self, root: str, **_: Any) -> None:
        self._root = Path(root)
        self._unfinished = self._root / UNFINISHED
        #: Directories whose own entry is known to be on the disk.
        self._synced: set[Path] = set()
        self._lock = Lock()
        self._is_bulk = False
        self._forget_unfinished()

    def __new__(cls, root: str) -> FolderStore:
        os.makedirs(root, mode=0o700, exist_ok=True)
        return super().__new__(cls, root)  # type: ignore[call-arg]

    def put(self, path: str, file: Any, *, mode: Any = None, **more: Any) -> Any:
        """Store a new object, of bytes or of an open file, or put one in the place of another. Raises `AlreadyExistsError`, or
        an `OSError` when it may not be on the disk: then a new one is not there at all."""
        if mode != "create":
            return self._replace(self._root / path, file) if not more else super().put(path, file, mode=mode, **more)
        try:
            self._create(self._root / path, file)
        except FileNotFoundError:  # somebody has removed the folder while we serve
            self._synced.clear()
            self._create(self._root / path, file)
        return None

    @contextmanager
    def in_bulk(self) -> Iterator[None]:
        """Many objects, none of which is acknowledged before the end: they are synced together, when the block ends."""
        self._is_bulk = sys.platform == "linux"  # elsewhere `sync` does not wait for the disk
        try:
            yield
            if self._is_bulk:
                os.sync()
        finally:
            self._is_bulk = False

    def _create(self, target: Path, data: Any) -> None:
        """The name comes first and then one sync for both, since each wait for the disk is as long as all the rest. A
        reader never sees half an object, but may see one that is not acknowledged yet: its sender will send it again."""
        self._make(self._unfinished)
        self._make(target.parent)
        descriptor, written = self._open()
        with os.fdopen(descriptor, "wb") as file:
            try:
                file.writelines(_blocks(data))
                file.flush()
                # With a descriptor beside it, which an absolute path does not use, the link is to what the path points to.
                os.link(written or f"/proc/self/fd/{descriptor}", target, src_dir_fd=descriptor)
            except FileExistsError:
                raise AlreadyExistsError(f"{target} already exists") from None
            finally:
                if written:
                    written.unlink(missing_ok=True)
            if not self._is_bulk:
                self._sync_or_remove(file.fileno(), target)

    def _replace(self, target: Path, data: Any) -> None:
        """The old one stands until the new one is on the disk, so that a power cut leaves either."""
        self._make(self._unfinished)
        self._make(target.parent)
        written = self._named()
        try:
            with os.fdopen(os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.writelines(_blocks(data))
                file.flush()
                os.fsync(file.fileno())
            written.replace(target)
        finally:
            written.unlink(missing_ok=True)
        _sync(target.parent)

    def _named(self) -> Path:
        """A place to write to, with a name that obstore lists nowhere."""
        return self._unfinished.absolute() / f"{uuid4().hex}#1"

    def _open(self) -> tuple[int, Path | None]:
        """A new file to write, and its name, where the file system has none without."""
        if _NAMELESS:
            with suppress(OSError):
                return os.open(self._unfinished, _NAMELESS | os.O_WRONLY, 0o600), None
        written = self._named()
        return os.open(written, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), written

    def _sync_or_remove(self, descriptor: int, target: Path) -> None:
        """After a sync that failed, another one may succeed and mean nothing."""
        try:
            os.fsync(descriptor)
            _sync(target.parent)
        except OSError:
            target.unlink(missing_ok=True)
            raise

    def _make(self, directory: Path) -> None:
        """A directory is on the disk once those above it are, up to one that was there before us."""
        if directory in self._synced:
            return
        with self._lock:
            for made in reversed([directory, *directory.parents]):
                if made.is_relative_to(self._root) and made not in self._synced:
                    made.mkdir(mode=0o700, exist_ok=True)
                    if not self._is_bulk:
                        _sync(made.parent)
                    self._synced.add(made)

    def _forget_unfinished(self) -> None:
        with suppress(FileNotFoundError):
            for left in os.scandir(self._unfinished):
                with suppress(FileNotFoundError):
                    if time.time() - left.stat().st_mtime > STALE_SECONDS:
                        os.unlink(left)


def _blocks(data: Any) -> Iterator[bytes]:
    if not hasattr(data, "read"):
        yield data
        return
    data.seek(0)
    yield from iter(lambda: data.read(_BLOCK_BYTES), b"")


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def in_bulk(store: object) -> Any:
    """What groups the puts of a block, where the store gains by it."""
    from contextlib import nullcontext

    return store.in_bulk() if isinstance(store, FolderStore) else nullcontext()
