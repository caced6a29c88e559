"""What is listed -> what was stored: the objects that a pack holds stand in its place.

A pack counts when it and its index are both there. It is written behind its index and deleted before it, so that whoever is
killed in between leaves an index, which says nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from obstore.store import ObjectStore

from clickstream_dagster.raw.packs.index import Index, PackBroken, members_of, read_index
from clickstream_dagster.raw.raw_object import RawObject
from clickstream_dagster.settings import PAGE_KEYS, READ_THREADS
from ingest_lambda import landing

#: Which of these packs need not be opened, since all that they hold is known.
Known = Callable[[list[str]], set[str]]
OnStranger = Callable[[str], None]


@dataclass
class Folder:
    """What a folder of the store holds: objects as they came, packs with an index, and packs and indexes without the other."""

    small: list[RawObject] = field(default_factory=list)
    packs: dict[str, RawObject] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=set)

    @property
    def whole(self) -> list[RawObject]:
        """The packs that have their index."""
        return [pack for key, pack in self.packs.items() if key in self.indexes]

    def put(self, found: RawObject) -> None:
        """Sort in one object."""
        pack = landing.pack_of(found.key)
        if pack is None:
            self.small.append(found)
        elif pack == found.key:
            self.packs[pack] = found
        else:
            self.indexes.add(pack)


def no_pack_is_known(packs: list[str]) -> set[str]:
    """For who wants all objects, and not only what is new."""
    return set()


def with_members(
    store: ObjectStore,
    listed: Iterable[RawObject],
    known: Known = no_pack_is_known,
    on_stranger: OnStranger = lambda key: None,
) -> Iterator[RawObject]:
    """What is listed, folder by folder, and what packs hold in their place, each object once. Folders all of whose packs are
    known are not opened. A pack that cannot be opened is told to `on_stranger`."""
    for page in _pages(listed):
        packs = [pack.key for folder in page for pack in folder.whole]
        seen = known(packs) if packs else set()
        opened = [pack for folder in page if any(one.key not in seen for one in folder.whole) for pack in folder.whole]
        indexes = read_indexes(store, opened, on_stranger)
        for folder in page:
            for lost in folder.packs.keys() - folder.indexes:
                on_stranger(lost)
            found = {pack.key: indexes[pack.key] for pack in folder.whole if pack.key in indexes}
            yield from _objects(folder, found) if found else folder.small


def packs_among(listed: Iterable[RawObject], unopened: Iterable[str]) -> dict[str, datetime]:
    """The packs of a listing and their hours, without those that were told as strangers."""
    left_out = {landing.pack_of(key) for key in unopened}
    return {raw.key: raw.hour for raw in listed if landing.pack_of(raw.key) == raw.key and raw.key not in left_out}


def read_indexes(
    store: ObjectStore, packs: list[RawObject], on_stranger: OnStranger = lambda key: None
) -> dict[str, Index]:
    """The indexes of packs, by key, without those that cannot be read."""
    if not packs:
        return {}
    with ThreadPoolExecutor(READ_THREADS) as pool:
        read = zip(packs, pool.map(lambda pack: _read_index(store, pack.key), packs), strict=True)
        found = {pack.key: index for pack, index in read}
    for key, index in found.items():
        if index is None:
            on_stranger(landing.pack_index_key(key))
    return {key: index for key, index in found.items() if index is not None}


def standing(indexes: dict[str, Index]) -> dict[str, Index]:
    """Without those that others of the same folder replace."""
    replaced = {name for index in indexes.values() for name in index.replaces}
    return {key: index for key, index in indexes.items() if not any(f"/packed-{name}." in key for name in replaced)}


def _read_index(store: ObjectStore, pack: str) -> Index | None:
    try:
        return read_index(store, pack)
    except (FileNotFoundError, PackBroken):
        return None


def _objects(folder: Folder, indexes: dict[str, Index]) -> list[RawObject]:
    """An object that is there both ways is read from its pack, unless it was written anew after it was packed."""
    found = {
        raw.key: raw
        for pack, index in sorted(standing(indexes).items())
        for raw in members_of(pack, index, folder.packs[pack].hour)
    }
    for raw in folder.small:
        if found.get(raw.key) != raw:
            found[raw.key] = raw
    return sorted(found.values())


def _pages(listed: Iterable[RawObject]) -> Iterator[list[Folder]]:
    """Whole folders, about a page of keys at a time."""
    page: list[Folder] = []
    size = 0
    for _, found in groupby(listed, key=lambda raw: raw.key.rpartition("/")[0]):
        folder = Folder()
        for raw in found:
            folder.put(raw)
        page.append(folder)
        size += len(folder.small) + len(folder.packs)
        if size >= PAGE_KEYS:
            yield page
            page, size = [], 0
    if page:
        yield page
