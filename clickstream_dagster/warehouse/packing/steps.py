"""The two steps of packing, for one prefix of the raw store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice

import obstore
from obstore.store import ObjectStore

from clickstream_dagster.partitions import hour_of_object
from clickstream_dagster.raw.bodies import read
from clickstream_dagster.raw.lines import unpacked
from clickstream_dagster.raw.objects import batches, list_folder, weight
from clickstream_dagster.raw.packs.changing import delete, remove, sweep
from clickstream_dagster.raw.packs.index import PackBroken, members_of, read_index
from clickstream_dagster.raw.packs.listing import Folder, read_indexes, standing
from clickstream_dagster.raw.packs.reading import contents
from clickstream_dagster.raw.packs.writing import Content, write_packs
from clickstream_dagster.raw.raw_object import RawObject
from clickstream_dagster.settings import PACKED_OBJECT_BYTES, UNPACKED_OBJECT_BYTES
from clickstream_dagster.warehouse.connection import Connection, held, transaction
from clickstream_dagster.warehouse.load import LISTED
from clickstream_dagster.warehouse.packing import packs
from clickstream_dagster.warehouse.unseen import unseen_objects

#: So many objects make a pack. One by itself would only be written again.
FEWEST = 2


@dataclass
class Packed:
    """What packing has done, or would do: objects that were packed and their bytes, the packs and theirs, and objects that
    went because a pack holds them. `broken` says of packs what is wrong with them."""

    objects: int = 0
    object_bytes: int = 0
    packs: int = 0
    pack_bytes: int = 0
    deleted: int = 0
    broken: list[str] = field(default_factory=list)


def pack(connection: Connection, store: ObjectStore, prefix: str, done: Packed, is_dry_run: bool) -> None:
    """Pack what is loaded and in no pack yet. Nothing may be taken out of the manifest or the store meanwhile."""
    with held(connection, LISTED, is_shared=True):
        folder = list_folder(store, prefix)
        there = _members(store, folder)
        waiting = [raw for raw in folder.small if raw.key not in there and weight(raw) <= PACKED_OBJECT_BYTES]
        if is_dry_run:
            _count_waiting(connection, waiting, done)
            return
        _enter_whole(connection, store, there.values())
        packable = _packable(connection, store, waiting)
        first = list(islice(packable, FEWEST))
        if len(first) < FEWEST:
            return
        for key in write_packs(store, prefix, chain(first, packable)):
            try:
                found = _verified(store, key)
            except PackBroken:  # its objects are still there: it is made again
                remove(store, key)
                raise
            packs.enter(connection, _packs_of(found))
            done.packs += 1
            done.pack_bytes += obstore.head(store, key)["size"]
            done.objects += len(found)
            done.object_bytes += sum(raw.size for raw in found)


def tidy(
    connection: Connection, store: ObjectStore, prefix: str, written_before: datetime, done: Packed, is_dry_run: bool
) -> None:
    """Delete the objects that old packs hold, if the pack gives their bytes and the manifest has them."""
    folder = list_folder(store, prefix)
    small = {raw.key for raw in folder.small}
    twice = {raw.packed.pack for raw in _members(store, folder).values() if raw.packed and raw.key in small}
    old = [key for key in sorted(twice) if obstore.head(store, key)["last_modified"] <= written_before]
    if is_dry_run:
        proved = {raw.key: raw for key in old for raw in _read_members(store, key)}
        done.deleted += len(_deletable(connection, store, folder.small, proved))
    elif old or folder.indexes - folder.packs.keys():
        proved = {raw.key: raw for key in old for raw in _verified(store, key)}
        with held(connection, LISTED):
            folder = list_folder(store, prefix)
            stand = sweep(store, folder)
            proved = {key: raw for key, raw in proved.items() if raw.packed and raw.packed.pack in stand}
            keys = _deletable(connection, store, folder.small, proved)
            delete(store, keys)
        done.deleted += len(keys)


def _members(store: ObjectStore, folder: Folder) -> dict[str, RawObject]:
    """What the packs of a folder hold, by key."""
    indexes = standing(read_indexes(store, folder.whole))
    return {raw.key: raw for key, index in indexes.items() for raw in members_of(key, index, folder.packs[key].hour)}


def _read_members(store: ObjectStore, key: str) -> list[RawObject]:
    hour = hour_of_object(key)
    return list(members_of(key, read_index(store, key), hour)) if hour else []


def _verified(store: ObjectStore, key: str) -> list[RawObject]:
    """The members of a pack, each of which has been read from it. Raises `PackBroken`."""
    found = _read_members(store, key)
    for _ in contents(store, found):
        pass
    return found


def _enter_whole(connection: Connection, store: ObjectStore, members: Iterable[RawObject]) -> None:
    """Enter packs that another warehouse has made, or that a killed process has not entered."""
    by_pack: dict[str, list[RawObject]] = {}
    for raw in members:
        by_pack.setdefault(raw.packed.pack if raw.packed else "", []).append(raw)
    known = packs.known(connection)(list(by_pack))
    for key, objects in by_pack.items():
        if key not in known and next(unseen_objects(connection, store, objects), None) is None:
            packs.enter(connection, _packs_of(objects))


def _packs_of(members: list[RawObject]) -> dict[str, datetime]:
    return {raw.packed.pack: raw.hour for raw in members if raw.packed}


def _packable(connection: Connection, store: ObjectStore, waiting: list[RawObject]) -> Iterator[Content]:
    """What is loaded just as it is stored now, and says the same unpacked."""
    for batch in batches(waiting):
        loaded = _loaded(connection, batch)
        for body in read(store, batch):
            if (body.raw.key, str(body.content_hash)) in loaded:
                data = unpacked(body.file, UNPACKED_OBJECT_BYTES)
                if data is not None:
                    yield Content(body.raw, body.content_hash, data)


def _count_waiting(connection: Connection, waiting: list[RawObject], done: Packed) -> None:
    keys = {key for batch in batches(waiting) for key, _ in _loaded(connection, batch)}
    loaded = [raw for raw in waiting if raw.key in keys]
    if len(loaded) >= FEWEST:
        done.packs += 1
        done.objects += len(loaded)
        done.object_bytes += sum(raw.size for raw in loaded)


def _deletable(
    connection: Connection, store: ObjectStore, small: list[RawObject], proved: dict[str, RawObject]
) -> list[str]:
    """The keys of objects whose bytes a pack gives, as the manifest has them."""
    hashes = {key: raw.packed.content_hash for key, raw in proved.items() if raw.packed}
    keys: list[str] = []
    for batch in batches([raw for raw in small if raw.key in hashes]):
        copied = [raw for raw in batch if raw != proved[raw.key]]  # a store that was copied has other etags
        same = {raw.key for raw in batch} - {raw.key for raw in copied}
        same |= {body.raw.key for body in read(store, copied) if body.content_hash == hashes[body.raw.key]}
        loaded = _loaded(connection, batch)
        keys += [key for key in sorted(same) if (key, str(hashes[key])) in loaded]
    return keys


def _loaded(connection: Connection, objects: list[RawObject]) -> set[tuple[str, str]]:
    """Key and content of objects, where they are in the manifest."""
    with transaction(connection) as cursor:
        cursor.execute(
            "select object_key, content_hash::text from raw_objects where object_key = any(%s)",
            ([raw.key for raw in objects],),
        )
        return set(cursor.fetchall())
