"""An import that is taken back leaves every table as if it had never been, wherever it was killed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from obstore.store import ObjectStore

from clickstream_dagster.local.importer import notes
from clickstream_dagster.local.importer.notes import Note
from clickstream_dagster.local.importer.source import surveyed
from clickstream_dagster.local.importer.store import store_source
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import places
from clickstream_dagster.raw.objects import list_all
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.unload import CannotUnload, Unloaded, unload
from clickstream_dagster.warehouse.unseen import look
from ingest_lambda import landing
from support.tables import differences, dump, unequal_sums

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
END = START + 6 * HOUR


class Killed(Exception):
    """The process ends here."""


def event(number: int, minutes: int, visitor: str, name: str, late: int = 0, **more: Any) -> dict[str, Any]:
    at, received_at = START + timedelta(minutes=minutes), START + timedelta(minutes=minutes + late)
    said = {"event_name": name, "event_timestamp": at.isoformat(), "client_id": visitor, "time_source": "client"}
    return {"event_id": str(UUID(int=number)), "received_at": received_at.isoformat(), **said, **more}


def order(name: str, value: int) -> dict[str, Any]:
    return {"order": {"id": name, "value": value, "items": [{"product_id": f"p-{value}", "price": value}]}}


#: What a collector received, what another import brought, and the import that is taken back: it bridges two sessions of ann,
#: has the first purchase of an order, a visitor of its own, events that both others have too, and a broken line.
LIVE = [
    event(1, 0, "ann", "page_view", page_url="https://shop.example/?utm_source=x"),
    event(2, 50, "ann", "view_product", product={"id": "p-1", "name": "Mouse", "price": 9}),
    event(3, 70, "ann", "purchase", **order("o-1", 30)),
    event(4, 90, "bob", "search", search_query="mouse"),
]
OTHER = [
    event(5, 100, "cleo", "page_view", late=2),
    event(6, 101, "cleo", "purchase", **order("o-2", 7)),
    event(7, 200, "cleo", "click"),
]
TAKEN = [
    event(10, 25, "ann", "view_product", product={"id": "p-2", "name": "Board", "price": 5}),
    event(11, 40, "dora", "purchase", **order("o-1", 20)),
    event(12, 45, "dora", "page_view"),
    event(4, 85, "bob", "search", search_query="another word"),
    event(5, 100, "cleo", "page_view"),
    event(7, 200, "cleo", "click", late=2),
    event(13, 250, "bob", "add_to_cart", product={"id": "p-3", "price": 2}),
]


@dataclass(frozen=True)
class Shop:
    stack: Stack
    note: Note

    @property
    def store(self) -> ObjectStore:
        return self.stack.store

    def load(self) -> None:
        """As `clickstream materialize` does: whatever is found to be new, and all that is owed."""
        with self.stack.warehouse() as connection:
            found = look(connection, self.store, self.stack.settings)
            for hour in sorted(found.unseen):
                load_hours(connection, self.store, hour, hour + HOUR)
            rebuild_all(connection)

    def forget(self, remove: Callable[[], object] | None = None) -> Unloaded:
        with self.stack.warehouse() as connection:
            whole = lambda: notes.remove_objects(self.store, self.note)  # noqa: E731
            return unload(connection, self.store, self.note.name, remove or whole)

    def tables(self) -> dict[str, str]:
        with self.stack.warehouse() as connection:
            assert unequal_sums(connection) == {}
            assert all(hour.difference == 0 for hour in ledger(connection))
            return dump(connection)


def bring(stack: Stack, path: Path, lines: list[dict[str, Any]], *broken: bytes) -> Note:
    path.write_bytes(b"\n".join([*(json.dumps(line).encode() for line in lines), *broken]))
    source = surveyed(path)
    note = notes.note_of(source, datetime.now(UTC))
    notes.write(stack.store, note)
    done = notes.finished(note, store_source(stack.store, source), datetime.now(UTC))
    notes.write(stack.store, done)
    return done


def received(stack: Stack) -> None:
    """Each event by a request of its own."""
    for number, line in enumerate(LIVE):
        at = datetime.fromisoformat(line["received_at"])
        stack.store.put(landing.event_key(at, UUID(int=number)), json.dumps(line).encode())


@pytest.fixture
def never(make_stack: Callable[..., Stack], tmp_path: Path) -> dict[str, str]:
    """The tables of a shop that never had the import."""
    stack = make_stack()
    received(stack)
    note = bring(stack, tmp_path / "other.ndjson", OTHER)
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
        rebuild_all(connection)
    return Shop(stack, note).tables()


@pytest.fixture
def shop(make_stack: Callable[..., Stack], tmp_path: Path) -> Shop:
    """The shop that has it, loaded."""
    stack = make_stack()
    received(stack)
    bring(stack, tmp_path / "other.ndjson", OTHER)
    note = bring(stack, tmp_path / "taken.ndjson", TAKEN, b"broken")
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
        rebuild_all(connection)
    return Shop(stack, note)


def test_every_table_is_as_if_it_had_never_been(shop: Shop, never: dict[str, str]) -> None:
    assert differences(shop.tables(), never) != {}
    done = shop.forget()
    # Beside its own, the collector's object of the search and the other import's hour of cleo's first page, which count again.
    assert done == Unloaded(objects=5, events=6 + 1, reread=2)
    shop.load()
    assert differences(shop.tables(), never) == {}
    assert not [raw for raw in list_all(shop.store) if landing.import_of(raw.key) == shop.note.name]
    assert shop.forget() == Unloaded()
    shop.load()
    assert differences(shop.tables(), never) == {}


@pytest.mark.parametrize("kept", [0, 1, 99])
def test_killed_between_the_store_and_the_tables_it_is_finished_by_doing_it_again(
    shop: Shop, never: dict[str, str], kept: int
) -> None:
    def killed() -> None:
        mine = [raw.key for raw in list_all(shop.store) if landing.import_of(raw.key) == shop.note.name]
        for key in mine[kept:]:
            shop.store.delete(key)
        raise Killed

    with pytest.raises(Killed):
        shop.forget(killed)
    shop.load()
    shop.forget()
    shop.load()
    assert differences(shop.tables(), never) == {}


def test_an_import_that_was_cut_off_is_found_without_its_hours(shop: Shop, never: dict[str, str]) -> None:
    shop.note.finished_at = None
    shop.forget()
    shop.load()
    assert differences(shop.tables(), never) == {}


def test_it_can_be_imported_again(shop: Shop, tmp_path: Path) -> None:
    before = shop.tables()
    shop.forget()
    shop.load()
    bring(shop.stack, tmp_path / "again.ndjson", TAKEN, b"broken")
    shop.load()
    assert differences(shop.tables(), before) == {}


def test_the_note_of_an_import_is_no_stranger(shop: Shop) -> None:
    found: list[str] = []
    assert list(list_all(shop.store, found.append))
    assert [*found, *places.strangers(shop.store, START, END)] == []


def test_a_copy_that_nobody_could_read_again_stops_it(shop: Shop) -> None:
    before = shop.tables()
    for raw in list(list_all(shop.store)):
        if landing.import_of(raw.key) != shop.note.name:
            shop.store.delete(raw.key)
    with pytest.raises(CannotUnload, match="Nothing was taken back"):
        shop.forget()
    assert differences(shop.tables(), before) == {}
    assert [raw for raw in list_all(shop.store) if landing.import_of(raw.key) == shop.note.name]
