"""Take objects out of the store, or put other lines in their place, wherever they lie: by themselves, in a pack, or both.

Whoever calls this holds the lock of all loads for himself (`warehouse/load.py`): a load that has listed a pack must not find it
gone. Killed anywhere and run again, it does the rest. The manifest is the caller's.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import obstore
from obstore.store import LocalStore, ObjectStore

from clickstream_dagster.partitions import hour_of_object
from clickstream_dagster.raw.objects import list_folder
from clickstream_dagster.raw.packs.index import Member, members_of, read_index
from clickstream_dagster.raw.packs.listing import Folder, read_indexes, standing
from clickstream_dagster.raw.packs.reading import contents
from clickstream_dagster.raw.packs.writing import Content, PackFile
from clickstream_dagster.raw.raw_object import Place, RawObject, content_hash
from clickstream_dagster.settings import READ_THREADS
from ingest_lambda import landing

#: By key, the lines of an object from now on, or None where it goes.
Changes = Mapping[str, bytes | None]


class Stored(NamedTuple):
    """An object as it is stored from now on: what the manifest says of it."""

    size: int
    content_hash: UUID


def change(store: ObjectStore, changes: Changes) -> dict[str, Stored]:
    """Make the changes, in packs and outside of them. What the changed objects are then comes back, by key."""
    prefixes = sorted({key.rpartition("/")[0] + "/" for key in changes})
    with ThreadPoolExecutor(READ_THREADS) as pool:
        folders = list(pool.map(lambda prefix: list_folder(store, prefix), prefixes))
    for folder in folders:
        for pack in sweep(store, folder):
            rewrite(store, pack, changes)
    there = [raw.key for folder in folders for raw in folder.small if raw.key in changes]
    forms = {key: as_stored(key, lines) for key, lines in changes.items() if lines is not None}
    for key in there:
        if key in forms:
            store.put(key, forms[key])  # in a folder it is on the disk when this returns
    delete(store, [key for key in there if key not in forms])
    return {key: Stored(len(form), content_hash(form)) for key, form in forms.items()}


def rewrite(store: ObjectStore, pack: str, changes: Changes) -> str | None:
    """Make the changes in one pack: the key of the pack that stands in its place, which is the same one where nothing was to
    change, and None where nothing is left. The new pack counts from the moment that it is written, and this one does not."""
    index, new = read_index(store, pack), PackFile()
    raws = list(zip(index.members, members_of(pack, index, _hour(pack)), strict=True))
    if all(changes.get(raw.key, b"") is None for _, raw in raws):  # nothing of it needs to be read
        remove(store, pack)
        return None
    for _, held in groupby(raws, key=lambda pair: pair[0].block):
        _copy_block(store, list(held), changes, new)
    new.end_block()
    if new.index.members == index.members:
        return pack
    prefix, _, name = pack.rpartition("packed-")
    key = new.store(store, prefix, {name.partition(".")[0], *index.replaces})
    remove(store, pack)
    return key


def sweep(store: ObjectStore, folder: Folder) -> list[str]:
    """Remove what a change that was killed has left: packs that another one replaces, and indexes without a pack. The keys of
    the packs that stand come back."""
    indexes = read_indexes(store, folder.whole)
    stand = standing(indexes)
    for pack in (*(indexes.keys() - stand.keys()), *(folder.indexes - folder.packs.keys())):
        remove(store, pack)
    return sorted(stand)


def remove(store: ObjectStore, pack: str) -> None:
    """Remove a pack, and then its index."""
    for key in (pack, landing.pack_index_key(pack)):
        delete(store, [key])


def delete(store: ObjectStore, keys: Iterable[str]) -> None:
    """Delete objects, those that are there."""
    if isinstance(store, LocalStore):
        for key in keys:
            with suppress(FileNotFoundError):
                obstore.delete(store, key)
    elif listed := list(keys):
        obstore.delete(store, listed)


def _copy_block(store: ObjectStore, held: list[tuple[Member, RawObject]], changes: Changes, new: PackFile) -> None:
    """A block in which nothing changes is taken over as it is."""
    raws = [raw for _, raw in held]
    if not any(raw.key in changes for raw in raws):
        place = _place(raws[0])
        block = obstore.get_range(store, place.pack, start=place.first, end=place.end)
        new.add_block(bytes(block), [one for one, _ in held])
        return
    new.end_block()
    for raw, data in zip(raws, contents(store, raws), strict=True):
        lines = changes.get(raw.key, data)
        if lines is not None:
            new.add(_changed(raw, lines) if lines != data else Content(raw, _place(raw).content_hash, data))


def _changed(raw: RawObject, lines: bytes) -> Content:
    form = as_stored(raw.key, lines)
    known = content_hash(form)
    return Content(replace(raw, etag=known.hex, size=len(form)), known, lines)


def as_stored(key: str, lines: bytes) -> bytes:
    """The same bytes each time: an object and its copy in a pack have one hash."""
    return gzip.compress(lines, mtime=0) if key.endswith(".gz") else lines


def _place(raw: RawObject) -> Place:
    if raw.packed is None:
        raise ValueError(f"{raw.key} is not in a pack")
    return raw.packed


def _hour(pack: str) -> datetime:
    hour = hour_of_object(pack)
    if hour is None:
        raise ValueError(f"{pack} is not the key of a pack")
    return hour
