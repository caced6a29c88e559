"""An erasure where Dagster has run: neither its tables nor its logs hold an id, not even those of a run that failed on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cli_command import Command

from clickstream_dagster.local.embedded import start_postgres
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect, transaction

HER = "phone-of-mallory-4711"
LINE = (
    '{{"event_id":"00000000-0000-0000-0000-00000000000{number}","event_name":"page_view","client_id":"{client}",'
    '"event_timestamp":"2026-05-01T07:0{number}:00Z","received_at":"2026-05-01T07:0{number}:01Z",'
    '"page_url":"https://shop.example/"}}\n'
)
HOUR = "2026-05-01T07:00Z"


def test_no_id_is_left_in_dagster(embedded: Command) -> None:
    folder = embedded.home / "raw" / "events/2026/05/01/07"
    folder.mkdir(parents=True)
    lines = (LINE.format(number=number, client=client) for number, client in enumerate((HER, "bob", HER)))
    (folder / "one.ndjson").write_text("".join(lines))
    server = start_postgres(embedded.home)
    environ = {"CLICKSTREAM_FIRST_HOUR": "2026-05-01T00:00Z"}

    assert embedded("materialize", "--from", HOUR, "--to", HOUR, **environ).code == 0
    rule(server, f"alter table clickstream_events add constraint not_her check (client_id <> '{HER}') not valid")
    (folder / "two.ndjson").write_text(LINE.format(number=7, client=HER))
    failed = embedded("materialize", "--from", HOUR, "--to", HOUR, **environ)
    assert failed.code != 0 and "not_her" in failed.err
    assert "not_her" in (embedded.home / "postgres" / "log").read_text()  # the log is there, and says which rule it was
    rule(server, "alter table clickstream_events drop constraint not_her")
    assert embedded("erase", "--client-id", HER).code == 0

    assert [name for name, row in rows(server) if HER in row] == []
    # The erasure could not know of the object whose load failed. Once it is loaded, --again cleans it.
    assert embedded("materialize", "--from", HOUR, "--to", HOUR, **environ).code == 0
    assert embedded("erase", "--again").code == 0
    assert [name for name, row in rows(server) if HER in row] == []
    assert [file for file in files(embedded.home) if HER.encode() in file.read_bytes()] == []


def rule(server: Postgres, statement: str) -> None:
    with closing(connect(server)) as connection, transaction(connection) as cursor:
        cursor.execute(statement)


def rows(server: Postgres) -> Iterator[tuple[str, str]]:
    """Every row of every table of the warehouse and of Dagster, as text."""
    for database in ("clickstream_dw", "dagster"):
        with closing(connect(replace(server, database=database))) as connection, transaction(connection) as cursor:
            cursor.execute("select schemaname || '.' || relname from pg_stat_user_tables")
            for (name,) in cursor.fetchall():
                cursor.execute(f"select t::text from {name} as t")
                yield from ((f"{database}.{name}", row) for (row,) in cursor.fetchall())


def files(home: Path) -> list[Path]:
    """All but the pages of PostgreSQL: they are read as rows, and its log for what it is."""
    pages = home / "postgres"
    return [file for file in home.rglob("*") if file.is_file() and (pages not in file.parents or file == pages / "log")]
