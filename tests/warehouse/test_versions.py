"""A warehouse of an earlier version, with data, goes forward by itself, and with a replay of what that version refused it ends as
if it had been loaded by this one.

`cases/version_0_3_0.tar.xz` was written by that version: the tables and the raw objects of a day of its demo, and of some
visits that come out differently since: an order in several events, refunds, servers, crawlers, apps, and users who share.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, connect, transaction
from clickstream_dagster.warehouse.ledger import ledger
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Wanted, replay
from support.tables import differences, dump, unequal_sums

CASE = Path(__file__).with_name("cases") / "version_0_3_0.tar.xz"
MIGRATIONS = 7
START = datetime(2026, 11, 27, tzinfo=UTC)
END = datetime(2026, 11, 30, tzinfo=UTC)


def unpacked(folder: Path) -> Path:
    with tarfile.open(CASE) as archive:
        archive.extractall(folder, filter="data")
    return folder


def restore(connection: Connection, folder: Path) -> None:
    """What that version left behind: its migrations, views and rows."""
    names = sorted(entry.name for entry in files("dbt_like_sql").joinpath("migrations").iterdir())
    with transaction(connection) as cursor:
        cursor.execute("create table schema_migrations (name text primary key, applied_at timestamptz default now())")
        for name in [name for name in names if name.endswith(".sql")][:MIGRATIONS]:
            cursor.execute(files("dbt_like_sql").joinpath("migrations", name).read_text())
        cursor.execute((folder / "views.sql").read_text())
        for file in sorted((folder / "tables").iterdir()):
            data = file.read_bytes()
            header = next(csv.reader(io.StringIO(data.split(b"\n", 1)[0].decode()), delimiter="\t"))
            cursor.copy_expert(f"copy {file.stem} ({', '.join(header)}) from stdin with (header)", io.BytesIO(data))


def load_and_rebuild(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
        rebuild_all(connection)
        assert unequal_sums(connection) == {}
        assert all(books.difference == 0 for books in ledger(connection))
        return dump(connection)


@pytest.fixture
def old(make_stack: Callable[..., Stack]) -> Stack:
    stack = make_stack(is_migrated=False)
    folder = unpacked(stack.settings.home)
    connection = connect(stack.server)
    restore(connection, folder)
    connection.close()
    return stack


def test_a_warehouse_of_0_3_0_ends_as_one_that_is_loaded_anew(old: Stack, make_stack: Callable[..., Stack]) -> None:
    new = make_stack()
    unpacked(new.settings.home)
    expected = load_and_rebuild(new)
    assert expected["clickstream_events"].count("\n") > 1_000
    load_and_rebuild(old)
    # What that version refused and this one accepts, it is to be asked for: an upgrade alone brings in nothing.
    with old.warehouse() as connection:
        assert replay(connection, old.store, Wanted()).loaded > 0
    assert differences(expected, load_and_rebuild(old)) == {}
