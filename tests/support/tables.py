"""Whole tables as text, to compare them byte for byte."""

from __future__ import annotations

from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.models import Model, all_models

#: When something was done and where, not what: the only columns that two equal histories may differ in.
CLOCKS = {("raw_objects", "loaded_at"), ("raw_objects", "etag")}
OWED = ("changed_spans", "changed_keys")
SUMS = [model for model in all_models().values() if model.materialized == "sum"]
EXPIRED = ("expired_events", "expired_orders", "expiry", *(f"kept_{model.name}" for model in SUMS))


def dump(connection: Connection) -> dict[str, str]:
    """Every stored table by name, its rows as sorted text; what is still owed under `owed`."""
    with transaction(connection) as cursor:
        tables = {}
        for model in all_models().values():
            if model.materialized == "view":
                continue
            columns = ", ".join(name for name in model.column_names if (model.name, name) not in CLOCKS)
            cursor.execute(f"select t::text from (select {columns} from {model.name}) as t order by t::text")
            tables[model.name] = "\n".join(row for (row,) in cursor.fetchall())
        for name in OWED:
            cursor.execute(f"select count(*) from {name}")
            tables[name] = str(cursor.fetchone())
        return tables


def differences(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[list[str], list[str]]]:
    """Rows that only one of two dumps has, by table; empty when they are equal byte for byte."""
    found = {}
    for name in one:
        if one[name] != other[name]:
            left, right = one[name].split("\n"), other[name].split("\n")
            found[name] = ([row for row in left if row not in right], [row for row in right if row not in left])
    return found


def empty(connection: Connection) -> None:
    """Empty every table, so that a database serves the next example."""
    names = [model.name for model in all_models().values() if model.materialized != "view"]
    with transaction(connection) as cursor:
        cursor.execute(f"truncate {', '.join([*names, *OWED, *EXPIRED, 'loaded_hours'])}")


def unequal_sums(connection: Connection) -> dict[str, list[str]]:
    """Rows by which a sum differs from its own SQL over its whole facts and what expired ones had added; empty when all of them
    are equal, byte for byte."""
    found = {}
    with transaction(connection) as cursor:
        for model in SUMS:
            stands = f"select t::text from {model.name} as t"
            meant = f"select t::text from ({_meant(model)}) as t"
            cursor.execute(f"({stands} except all {meant}) union all ({meant} except all {stands})")
            if rows := [row for (row,) in cursor.fetchall()]:
                found[model.name] = rows
    return found


def _meant(model: Model) -> str:
    columns, grain = ", ".join(model.column_names), ", ".join(model.grain)
    added = [
        f"exact_amount(sum({one.name})) as {one.name}"
        if one.data_type == "numeric"
        else f"sum({one.name})::{one.data_type} as {one.name}"
        for one in model.measures
    ]
    is_any = " or ".join(f"sum({one.name}) <> 0" for one in model.measures)
    rows = f"select {columns} from ({model.sql}) as m union all select {columns} from kept_{model.name}"
    return f"select {grain}, {', '.join(added)} from ({rows}) as rows group by {grain} having {is_any}"
