"""The list of those who were erased: salted hashes, in the warehouse and under `erased/` of the store. Either one is enough,
so that neither an empty warehouse nor an older copy of the store brings anybody back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from secrets import token_bytes
from uuid import UUID, uuid4

import msgspec
import obstore
from msgspec import Struct
from obstore.store import ObjectStore

from clickstream_dagster.raw.erased import Erased, hashed
from clickstream_dagster.warehouse.connection import Connection, Cursor, transaction
from ingest_lambda import landing

_SALT_BYTES = 32


class BrokenList(RuntimeError):
    """An object under `erased/` cannot be read; the message names it."""


class _Note(Struct):
    """An erasure as it lies in the store."""

    erased_at: datetime
    salt: bytes
    hashes: list[bytes]


def known(connection: Connection, store: ObjectStore) -> Erased:
    """Everybody who was erased. What only the store knows is taken over. Raises `BrokenList`."""
    stored = {receipt for page in obstore.list(store, prefix=f"{landing.ERASED}/") for receipt in _receipts(page)}
    with transaction(connection) as cursor:
        cursor.execute("select receipt_id::text from erasures")
        for receipt in stored - {UUID(found) for (found,) in cursor.fetchall()}:
            _take_over(cursor, receipt, _read(store, receipt))
        cursor.execute("select salt, id_hash from erased_ids")
        return Erased((bytes(salt), bytes(id_hash)) for salt, id_hash in cursor.fetchall())


def add(connection: Connection, store: ObjectStore, ids: Iterable[tuple[str, str]]) -> UUID:
    """Put ids, each with its kind, on the list; the receipt that they belong to. Of those that are on it already, the latest."""
    with transaction(connection) as cursor:
        salt = _salt(cursor)
        hashes = [hashed(salt, kind, name) for kind, name in ids]
        cursor.execute(
            """
            select erased_ids.receipt_id::text, id_hash from erased_ids inner join erasures using (receipt_id)
            where salt = %s and id_hash = any(%s) order by erased_at, receipt_id
            """,
            (salt, hashes),
        )
        found = cursor.fetchall()
        new = set(hashes) - {bytes(id_hash) for _, id_hash in found}
        receipt = uuid4() if new else UUID(found[-1][0])
        if new:
            _take_over(cursor, receipt, _Note(datetime.now(UTC), salt, sorted(new)))
    write(connection, store)
    return receipt


def write(connection: Connection, store: ObjectStore) -> None:
    """Put into the store what it does not hold: it was cut off, or is an older copy."""
    stored = {receipt for page in obstore.list(store, prefix=f"{landing.ERASED}/") for receipt in _receipts(page)}
    with transaction(connection) as cursor:
        cursor.execute("""
            select receipt_id::text, erased_at, salt, array_agg(id_hash order by id_hash)
            from erasures inner join erased_ids using (receipt_id) group by receipt_id, erased_at, salt
            """)
        for receipt, erased_at, salt, hashes in cursor.fetchall():
            if UUID(receipt) not in stored:
                note = _Note(erased_at, bytes(salt), [bytes(one) for one in hashes])
                store.put(landing.erased_key(UUID(receipt)), msgspec.json.encode(note))


def _take_over(cursor: Cursor, receipt: UUID, note: _Note) -> None:
    cursor.execute(
        "insert into erasures (receipt_id, erased_at) values (%s, %s) on conflict do nothing",
        (str(receipt), note.erased_at),
    )
    cursor.execute(
        """
        insert into erased_ids (receipt_id, salt, id_hash) select %s, %s, id_hash from unnest(%s) as id_hash
        on conflict do nothing
        """,
        (str(receipt), note.salt, note.hashes),
    )


def _read(store: ObjectStore, receipt: UUID) -> _Note:
    key = landing.erased_key(receipt)
    try:
        return msgspec.json.decode(bytes(obstore.get(store, key).bytes()), type=_Note)
    except msgspec.MsgspecError as error:
        raise BrokenList(
            f"{key} says who was erased and cannot be read ({error}). Put it back from an older version of the object; "
            "without it nothing is loaded, since a load could bring them back."
        ) from error


def _receipts(page: Iterable[obstore.ObjectMeta]) -> Iterable[UUID]:
    return [receipt for meta in page if (receipt := landing.noted_erasure(meta["path"]))]


def _salt(cursor: Cursor) -> bytes:
    """One for all, or the loader would hash each id as often as there are erasures."""
    cursor.execute("select salt from erased_ids group by salt order by count(*) desc, salt limit 1")
    found = cursor.fetchone()
    return bytes(found[0]) if found else token_bytes(_SALT_BYTES)
