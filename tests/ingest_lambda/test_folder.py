"""A folder as the raw bucket: what is put there is on the disk, or is not said to be."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import AlreadyExistsError

from ingest_lambda import folder
from ingest_lambda.folder import STALE_SECONDS, UNFINISHED, FolderStore
from ingest_lambda.settings import open_store
from support.power import Disk

KEY = "events/2026/01/01/00/event-1.json"


def names(store: FolderStore) -> list[str]:
    return sorted(entry["path"] for batch in obstore.list(store) for entry in batch)


def test_what_is_put_survives_a_power_cut_and_what_is_only_written_does_not(disk: Disk) -> None:
    ours, plain = FolderStore(str(disk.folder / "ours")), obstore.store.LocalStore(disk.folder / "plain", mkdir=True)
    for hour in range(24):
        for store in (ours, plain):
            store.put(f"events/2026/01/01/{hour:02}/event-1.json", b"x" * 500, mode="create")
    disk.cut_power()
    disk.start_again()
    kept = {name: list((disk.folder / name).rglob("*.json")) for name in ("ours", "plain")}
    assert [file.stat().st_size for file in kept["ours"]] == [500] * 24
    # The disk of the test does lose what nobody has synced.
    assert [file.stat().st_size for file in kept["plain"]] != [500] * 24


def test_many_objects_are_synced_together(disk: Disk) -> None:
    store = FolderStore(str(disk.folder / "raw"))
    with store.in_bulk():
        for hour in range(24):
            store.put(f"events/2026/01/01/{hour:02}/event-1.json", b"x" * 500, mode="create")
    disk.cut_power()
    disk.start_again()
    assert [file.stat().st_size for file in (disk.folder / "raw").rglob("*.json")] == [500] * 24


def test_an_object_is_never_replaced(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    store.put(KEY, b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        store.put(KEY, b"second", mode="create")
    assert bytes(store.get(KEY).bytes()) == b"first"


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/raw")
    store.put(KEY, b"x", mode="create")
    found = [tmp_path / "raw", *(tmp_path / "raw").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file()} == {0o600}


def test_a_write_that_was_killed_is_no_object_and_goes(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    store.put(KEY, b"x", mode="create")
    fresh, stale = tmp_path / UNFINISHED / "fresh", tmp_path / UNFINISHED / "stale"
    for left in (fresh, stale):
        left.write_bytes(b"half")
    os.utime(stale, (time.time() - STALE_SECONDS - 1,) * 2)
    again = FolderStore(str(tmp_path))
    assert (fresh.exists(), stale.exists()) == (True, False)
    assert [name for name in names(again) if name.startswith("events/")] == [KEY]


@pytest.mark.parametrize("of_directory", [False, True])
def test_what_could_not_be_synced_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_directory: bool
) -> None:
    store = FolderStore(str(tmp_path))
    store.put(KEY, b"x", mode="create")
    real = os.fsync

    def failing(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) is of_directory:
            raise OSError(errno.EIO, "the disk is broken")
        real(descriptor)

    monkeypatch.setattr(folder.os, "fsync", failing)
    with pytest.raises(OSError, match="broken"):
        store.put(KEY.replace("-1", "-2"), b"x", mode="create")
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["event-1.json"]


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    import shutil

    store = FolderStore(str(tmp_path / "raw"))
    store.put(KEY, b"x", mode="create")
    shutil.rmtree(tmp_path / "raw")
    store.put(KEY, b"y", mode="create")
    assert bytes(store.get(KEY).bytes()) == b"y"


def test_a_file_system_without_nameless_files_stores_the_same_and_leaves_none_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_lambda.folder._NAMELESS", 0)
    store = FolderStore(str(tmp_path))
    store.put("events/a.json", b"{}", mode="create")
    with pytest.raises(AlreadyExistsError):
        store.put("events/a.json", b"[]", mode="create")
    assert (tmp_path / "events" / "a.json").read_bytes() == b"{}"
    assert list((tmp_path / UNFINISHED).iterdir()) == []
