"""One visitor of many days, with everything that a visitor can leave behind: no byte of their ids is left anywhere."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from clickstream_dagster import instance as dagster_instance
from clickstream_dagster.cli import erasing
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import erased
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.erasing.erase import erase as erase_ids
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import contract, landing
from ingest_lambda.contract import Event, Order, OrderItem, Product, Rejection
from support.tables import differences, dump

START = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 6
END = START + timedelta(days=DAYS)
PHONE, LAPTOP, USER = "phone-of-mallory", "laptop-of-mallory", "mallory-4711"
IDS = (PHONE, LAPTOP, USER)


def event(number: int, at: datetime, client: str, name: str = "page_view", user: str | None = None) -> Event:
    order = Order(id=f"o{number}", value=Decimal(10), items=[OrderItem(product_id="p", price=Decimal(10))])
    return Event(
        event_id=UUID(int=number),
        event_name=name,
        event_timestamp=at,
        received_at=at,
        client_id=client,
        user_id=user,
        page_url=f"https://shop.example/p?utm_source={'only' if client in IDS else 'all'}",
        product=Product(id="p", name="Mouse", price=Decimal(10)) if name in ("view_product", "add_to_cart") else None,
        order=order if name in ("purchase", "refund") else None,
    )


def history() -> dict[str, list[bytes]]:
    """By object: two people's days, retries, conflicting copies, refused lines and bodies, one array and one packed object."""
    held: dict[str, list[bytes]] = {}

    def put(key: str, line: bytes) -> None:
        held.setdefault(key, []).append(line)

    number = 0
    for day in range(DAYS):
        for step, name in enumerate(("page_view", "view_product", "add_to_cart", "purchase", "refund")):
            for client, user in (
                (PHONE, None),
                (LAPTOP, USER if step > 1 else None),
                ("alice", "alice-1"),
                ("bob", None),
            ):
                number += 1
                at = START + timedelta(days=day, hours=9 + step % 2, minutes=step)
                # Of a refund the id is that of the purchase before it: four events ago.
                made = event(number, at, client, name, USER if client == PHONE and day == 2 else user)
                if name == "refund":
                    made = replace(made, order=Order(id=f"o{number - 4}", value=Decimal(1)))
                put(landing.event_key(at, UUID(int=day)), contract.encode(made))
                if step == 3:  # a retry, an hour later
                    later = at + HOUR
                    put(landing.event_key(later, UUID(int=50 + day)), contract.encode(replace(made, received_at=later)))
    at = START + timedelta(hours=9)
    theirs, alices = (json.loads(held[landing.event_key(at, UUID(int=0))][place]) for place in (0, 2))
    # Of an event of hers another copy says that it was Alice, and the other way round.
    for number, (said, client) in enumerate(((theirs, "alice"), (alices, PHONE))):
        late = {**said, "client_id": client, "user_id": None, "received_at": "2026-05-03T20:00:00Z"}
        put(landing.event_key(START + timedelta(days=2, hours=20), UUID(int=90 + number)), json.dumps(late).encode())
    hour = START + timedelta(days=3, hours=12)
    put(landing.event_key(hour, UUID(int=70)), b'{"client_id": "%s", "event_name": 1}' % PHONE.encode())
    put(landing.event_key(hour, UUID(int=70)), b'{"client_id": "bob", "event_name": 1}')
    for number, body in enumerate(
        (f'[{{"anonymousId": "{LAPTOP}", ', f"v=2&cid={PHONE}", '{"cid": "bob"', f'{{"x": "{USER}"}}')
    ):
        refused = Rejection("invalid_json", "said so", hour, number, body)
        put(landing.rejected_key(hour, UUID(int=80 + number // 2)), contract.encode(refused))
    for number, client in enumerate((PHONE, "bob", LAPTOP, "alice")):
        line = contract.encode(event(900 + number, hour, client))
        put(f"{landing.hour_prefix(hour)}by-hand.ndjson.gz", line)
        put(f"{landing.hour_prefix(hour)}by-hand.json", contract.encode(event(950 + number, hour, client)))
    return held


def written(held: dict[str, list[bytes]], *, is_hers_out: bool) -> dict[str, bytes]:
    """The bytes of each object, with her lines or without."""
    files = {}
    for key, lines in held.items():
        kept = [b"" if is_hers_out and is_hers(line) else line for line in lines]
        if not any(kept):
            continue
        if key.endswith("by-hand.json"):
            files[key] = b"[" + b",\n".join(line or b'"erased"' for line in kept) + b"]"
        else:
            files[key] = b"\n".join(kept)
        if key.endswith(".gz"):
            files[key] = gzip.compress(files[key], mtime=0)
    return files


def is_hers(line: bytes) -> bool:
    return any(one.encode() in line for one in IDS)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for key, data in files.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)


def materialize(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
        rebuild_all(connection)
        return dump(connection)


def bytes_of(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every row of every table as text, and what the planner has kept of them."""
    with transaction(connection) as cursor:
        cursor.execute("select schemaname || '.' || relname from pg_stat_user_tables")
        for name in [*(name for (name,) in cursor.fetchall()), "pg_stats"]:
            cursor.execute(f"select t::text from {name} as t")
            yield from ((name, row) for (row,) in cursor.fetchall())


def unlike(found: dict[str, str], expected: dict[str, str]) -> dict[str, object]:
    """What differs, but for the hash and the size of what was packed anew."""
    return {name: rows for name, rows in differences(found, expected).items() if name != "raw_objects"}


@pytest.fixture
def erase(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(stack: Stack, *arguments: str, command: str = "erase") -> str:
        monkeypatch.setattr(erasing, "load_settings", lambda: stack.settings)
        done = CliRunner().invoke(getattr(erasing, f"{command}_command"), arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_no_byte_of_a_visitor_is_left(make_stack: Callable[..., Stack], erase: Callable[..., str]) -> None:
    held = history()
    never = make_stack()
    write(never.settings.home / "raw", written(held, is_hers_out=True))
    expected = materialize(never)

    stack = make_stack()
    raw = stack.settings.home / "raw"
    write(raw, written(held, is_hers_out=False))
    dagster_instance.prepare(stack)
    with_her = materialize(stack)
    assert any(is_hers(rows.encode()) for rows in with_her.values())

    known = json.loads(erase(stack, "--person", USER, command="export"))
    assert {row["client_id"] for row in known["clickstream_events"]} == {PHONE, LAPTOP}
    assert len(known["fact_orders"]) == 2 * DAYS
    assert len(known["rejected_events"]) == 4
    assert "fact_sessions" in known and "fact_carts" in known
    assert "alice" not in json.dumps(known)

    assert "Would be erased" in erase(stack, "--person", USER, "--dry-run")
    assert differences(materialize(stack), with_her) == {}
    said = erase(stack, "--person", USER)
    with stack.warehouse() as connection:
        assert unlike(dump(connection), expected) == {}
        assert [name for name, row in bytes_of(connection) if is_hers(row.encode())] == []
        with transaction(connection) as cursor:
            cursor.execute("select lines, events + duplicates + rejected from erasures")
            [(lines, by_kind)] = cursor.fetchall()
    assert lines == by_kind == sum(is_hers(line) for group in held.values() for line in group)
    assert not is_hers(said.encode())
    assert [file for file in files_of(stack.settings.home) if is_hers(unpacked(file))] == []
    stored = {str(file.relative_to(raw)): unpacked(file) for file in files_of(raw) if "erased/" not in str(file)}
    assert stored == {
        str(file.relative_to(never.settings.home / "raw")): unpacked(file)
        for file in files_of(never.settings.home / "raw")
    }

    # Nothing is left to erase, the history brings nothing back, and neither does an older copy of the bucket.
    with stack.warehouse() as connection:
        before = dump(connection)
    erase(stack, "--person", USER)
    with stack.warehouse() as connection:
        assert dump(connection) == before
    again = make_stack()
    (again.settings.home).mkdir(parents=True, exist_ok=True)
    write(again.settings.home / "raw", {str(file.relative_to(raw)): file.read_bytes() for file in files_of(raw)})
    assert unlike(materialize(again), expected) == {}
    write(again.settings.home / "raw", written(held, is_hers_out=False))
    materialize(again)
    with again.warehouse() as connection:
        assert not any(is_hers(row.encode()) for _, row in bytes_of(connection))
    erase(again, "--again")
    assert [file for file in files_of(again.settings.home) if is_hers(unpacked(file))] == []


def files_of(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def unpacked(file: Path) -> bytes:
    data = file.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_what_the_store_does_not_hold_any_more_is_erased_row_by_row(make_stack: Callable[..., Stack]) -> None:
    held = history()
    stack = make_stack()
    raw = stack.settings.home / "raw"
    write(raw, written(held, is_hers_out=False))
    materialize(stack)
    shared = next(file for file in files_of(raw) if is_hers(unpacked(file)) and b"alice" in unpacked(file))
    shared.write_bytes(unpacked(shared) + b"\n")  # other bytes, loaded beside the ones before
    materialize(stack)
    gone = [file for file in files_of(raw) if file != shared and "by-hand" not in file.name][::2]
    for file in gone:
        file.unlink()
    with stack.warehouse() as connection, transaction(connection) as cursor:
        theirs = "visitor_id = any(%s) or user_id = any(%s)"
        others = f"select t::text from clickstream_events as t where not coalesce({theirs}, false) order by event_id"
        cursor.execute(others, (list(IDS), list(IDS)))
        before = cursor.fetchall()
    with stack.warehouse() as connection:
        people = [(erased.VISITOR, PHONE), (erased.VISITOR, LAPTOP), (erased.USER, USER)]
        erase_ids(connection, stack.store, people)
        rebuild_all(connection)
        assert [name for name, row in bytes_of(connection) if is_hers(row.encode()) and name != "pg_stats"] == []
        with transaction(connection) as cursor:
            cursor.execute(others, (list(IDS), list(IDS)))
            after = cursor.fetchall()
            cursor.execute("select count(*) filter (where difference <> 0), count(*) from etl_ledger")
            [(unequal, hours)] = cursor.fetchall()
            cursor.execute("select count(*) from raw_objects where line_count < 0")
            assert cursor.fetchall() == [(0,)]
        again = dump(connection)
        erase_ids(connection, stack.store, people)
        rebuild_all(connection)
        assert differences(dump(connection), again) == {}
    # Of her own event, the copy that says that it was Alice may count now; no event of anybody else is lost.
    assert set(before) <= set(after) and len(after) <= len(before) + 1
    assert unequal == 0 and hours > DAYS
    assert gone and [file for file in files_of(raw) if is_hers(unpacked(file))] == []
