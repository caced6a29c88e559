"""Parquet files by DuckDB, which is only imported where one is written or read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clickstream_dagster.warehouse.lake.column_types import LakeColumn, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Rows with all that a visitor may have sent in one of them.
_LINE_BYTES = 32_000_000
_MEMORY = "512MB"


class NotInParquet(RuntimeError):
    """A value or a file cannot be read as what it should be; the message has DuckDB's words."""


@contextmanager
def opened() -> Iterator[DuckDBPyConnection]:
    """A DuckDB for many files. One thread leaves the other cores to PostgreSQL, and makes the same bytes of the same rows.
    Nothing is fetched."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="clickstream-lake-") as folder:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 1,
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        with closing(duckdb.connect(":memory:", config=config)) as duck:
            yield duck


@contextmanager
def _told() -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise NotInParquet(str(error).strip().splitlines()[0]) from error


def write(duck: DuckDBPyConnection, csv: Path, parquet: Path, columns: list[LakeColumn]) -> None:
    """Write a file of the lines that PostgreSQL's COPY has written, which say each value as text."""
    texts = ", ".join(f"{_literal(column.name)}: 'VARCHAR'" for column in columns)
    values = ", ".join(column.value for column in columns)
    with _told():
        duck.execute(f"""
            copy (
                select {values} from read_csv(
                    {_literal(str(csv))}, columns = {{{texts}}}, auto_detect = false, header = false, delim = ',',
                    quote = '"', escape = '"', new_line = '\\n', nullstr = '', allow_quoted_nulls = false,
                    max_line_size = {_LINE_BYTES}
                )
            )
            to {_literal(str(parquet))} (format parquet, compression zstd)
            """)


def row_digests(duck: DuckDBPyConnection, parquet: Path, columns: list[LakeColumn], key: str) -> list[tuple[str, str]]:
    """Of each row its key and the digest of its texts, as PostgreSQL's `verify.py` makes them."""
    texts = ", ".join(column.said_again for column in columns)
    digest = " || ".join(f"coalesce(strlen({name}) || ':' || {name}, '-')" for name in map(quoted, _names(columns)))
    with _told():
        found = duck.execute(f"""
            select {quoted(key)}, md5({digest})
            from (select {texts} from read_parquet({_literal(str(parquet))}, hive_partitioning = false))
            """).fetchall()
    return [(str(key), str(digest)) for key, digest in found]


def _names(columns: list[LakeColumn]) -> list[str]:
    return [column.name for column in columns]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
