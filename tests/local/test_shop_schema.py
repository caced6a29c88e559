"""prisma/schema.prisma is written by hand: it says what the database is that schema.sql makes."""

from __future__ import annotations

import re

import pytest

from clickstream_dagster.local.storefront import database
from clickstream_dagster.local.storefront.building import STOREFRONT
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect, transaction

#: Prisma's type, with its native one where it has one -> PostgreSQL's.
TYPES = {
    "String": "text",
    "String @db.Uuid": "uuid",
    "String @db.Char(3)": "character(3)",
    "Int": "integer",
    "Boolean": "boolean",
    "Decimal @db.Decimal(12, 2)": "numeric(12,2)",
    "DateTime @db.Timestamptz(6)": "timestamp with time zone",
}

Columns = dict[str, dict[str, tuple[str, bool]]]


def described() -> Columns:
    """Table -> column -> type, and whether it may be empty; as Prisma has it."""
    text = (STOREFRONT / "prisma" / "schema.prisma").read_text()
    models = dict(re.findall(r"^model (\w+) \{(.*?)^\}", text, re.DOTALL | re.MULTILINE))
    found: Columns = {}
    for body in models.values():
        [table] = re.findall(r'@@map\("(\w+)"\)', body)
        columns = found[table] = {}
        for name, kind, empty, rest in re.findall(r"^  (\w+) +(\w+)([?]|\[\])?(.*)$", body, re.MULTILINE):
            if kind in models:
                continue  # a relation
            mapped = re.search(r'@map\("(\w+)"\)', rest)
            native = re.search(r"@db\.\w+(\([\d, ]+\))?", rest)
            columns[mapped[1] if mapped else name] = (
                TYPES[kind + (f" {native[0]}" if native else "")],
                empty == "?",
            )
    return found


@pytest.fixture(scope="module")
def real(postgres: Postgres) -> Columns:
    """The same, as PostgreSQL has it."""
    connection = connect(database.prepare(postgres, "shop_schema"))
    with transaction(connection) as cursor:
        cursor.execute(
            """select relname, attname, format_type(atttypid, atttypmod), not attnotnull
            from pg_attribute join pg_class on pg_class.oid = attrelid
            where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped"""
        )
        rows = cursor.fetchall()
    connection.close()
    return {table: {name: (kind, empty) for of, name, kind, empty in rows if of == table} for table, *_ in rows}


def test_prisma_knows_each_table_and_column_as_it_is(real: Columns) -> None:
    assert described() == real


def test_the_schema_and_the_catalogue_may_come_again(postgres: Postgres) -> None:
    shop = database.prepare(postgres, "shop_again")
    connection = connect(shop)
    with transaction(connection) as cursor:
        cursor.execute("update inventory set quantity = 1000")
    database.prepare(postgres, "shop_again")
    with transaction(connection) as cursor:
        cursor.execute("select count(*), min(quantity) from products join inventory using (product_id)")
        assert cursor.fetchall() == [(60, 1000)]
    connection.close()
