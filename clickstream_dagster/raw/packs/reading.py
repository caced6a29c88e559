"""The bytes of objects that lie in packs."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import obstore
from obstore.store import ObjectStore

from clickstream_dagster.raw.objects import batches
from clickstream_dagster.raw.packs.index import PackBroken
from clickstream_dagster.raw.raw_object import Place, RawObject, content_hash
from clickstream_dagster.settings import READ_THREADS

Blocks = dict[tuple[int, int], bytes]
_RESTORE = "Restore the pack from a backup, or from an older version of it."


def contents(store: ObjectStore, packed: Sequence[RawObject]) -> Iterator[bytes]:
    """The unpacked bytes of each object, in the order given, by no more requests than the blocks that hold them need. Raises
    `PackBroken` where they are not what was packed."""
    for batch in batches(packed):
        places = [raw.packed for raw in batch if raw.packed]
        fetched = _fetch(store, places)
        opened: dict[str, tuple[int, bytes]] = {}
        for raw, place in zip(batch, places, strict=True):
            if opened.get(place.pack, (-1,))[0] != place.first:
                opened[place.pack] = place.first, _unpack(place, fetched[place.pack])
            block = opened[place.pack][1]
            data = block[place.start : place.start + place.length]
            if content_hash(data) != place.unpacked_hash:
                raise PackBroken(f"{place.pack} does not hold {raw.key} any more as it was packed. {_RESTORE}")
            yield data


def _fetch(store: ObjectStore, places: list[Place]) -> dict[str, Blocks]:
    wanted: dict[str, set[tuple[int, int]]] = {}
    for place in places:
        wanted.setdefault(place.pack, set()).add((place.first, place.end))
    with ThreadPoolExecutor(min(READ_THREADS, len(wanted) or 1)) as pool:
        return dict(zip(wanted, pool.map(lambda pack: _blocks(store, pack, sorted(wanted[pack])), wanted), strict=True))


def _blocks(store: ObjectStore, pack: str, ranges: list[tuple[int, int]]) -> Blocks:
    starts, ends = zip(*ranges, strict=True)
    try:
        return dict(zip(ranges, map(bytes, obstore.get_ranges(store, pack, starts=starts, ends=ends)), strict=True))
    except FileNotFoundError as error:
        raise PackBroken(f"{pack} went while it was read. Run the same again: it is listed anew.") from error


def _unpack(place: Place, blocks: Blocks) -> bytes:
    try:
        return zlib.decompress(blocks[place.first, place.end], wbits=31)
    except zlib.error as error:
        raise PackBroken(
            f"{place.pack} cannot be unpacked from byte {place.first:,} on ({error}). {_RESTORE}"
        ) from error
