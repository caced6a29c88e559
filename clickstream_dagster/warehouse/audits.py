"""The tests of a model's .yml, run on the rows that were just rebuilt, before they are committed.

Only those rows: a test of an hour costs what the hour costs. A failed test rolls the rebuild back, so a dashboard never
sees what failed it, and the keys stay owed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model

KINDS = ("not_null", "unique", "accepted_values", "relationships")


@dataclass(frozen=True)
class Audit:
    """The outcome of one kind of test over all columns that ask for it: failing rows by column."""

    kind: str
    failures: Mapping[str, int]

    @property
    def passed(self) -> bool:
        """True when no row fails."""
        return not any(self.failures.values())


class AuditFailed(RuntimeError):
    """A blocking test failed; nothing of the rebuild was kept."""

    def __init__(self, model: str, audits: list[Audit]) -> None:
        self.audits = audits
        said = [
            f"{audit.kind}({column}): {count} rows"
            for audit in audits
            for column, count in audit.failures.items()
            if count
        ]
        super().__init__(
            f"{model} was not changed, because its tests failed on the new rows: {'; '.join(said)}. "
            f"Mend the cause (see dbt_like_sql/models/*/{model}.yml) and materialize again: the rows stay owed."
        )


def kinds_of(model: Model) -> list[str]:
    """The kinds of test that a model's .yml asks for."""
    asked = {name for column in model.columns for name, _ in column.tests}
    return [kind for kind in KINDS if kind in asked]


def audit(cursor: Cursor, model: Model, rows: str) -> list[Audit]:
    """Run the tests over `rows`, a temporary table of the rows just added: all of them in one statement."""
    asked = [
        (kind, column.name, _failures(model, column.name, kind, arguments))
        for kind in kinds_of(model)
        for column in model.columns
        for name, arguments in column.tests
        if name == kind
    ]
    if not asked:
        return []
    counts = sql.SQL(", ").join(count for _, _, count in asked)
    cursor.execute(sql.SQL("select {} from {} as r").format(counts, sql.Identifier(rows)))
    found = list(zip(asked, cursor.fetchone() or (), strict=True))
    return [Audit(kind, {column: count for (of, column, _), count in found if of == kind}) for kind in kinds_of(model)]


def passed(cursor: Cursor, model: Model, rows: str) -> list[Audit]:
    """Run the tests over `rows`; their results, none of which has failed. Raises `AuditFailed`."""
    results = audit(cursor, model, rows)
    if not all(result.passed for result in results):
        raise AuditFailed(model.name, results)
    return results


def _failures(model: Model, column: str, kind: str, arguments: Mapping[str, Any]) -> sql.Composed:
    """How many rows fail, as an aggregate over the rows `r`. What a row is compared with is found by index, row by row."""
    names = {"column": sql.Identifier(column), "table": sql.Identifier(model.name)}
    if kind == "accepted_values":
        values = sql.SQL(", ").join(map(sql.Literal, arguments["values"]))
        return sql.SQL("count(*) filter (where r.{column} not in ({values}))").format(values=values, **names)
    if kind == "relationships":
        other = {"other": sql.Identifier(arguments["to"]), "field": sql.Identifier(arguments["field"])}
        return sql.SQL(
            "count(*) filter (where r.{column} is not null "
            "and (select true from {other} as o where o.{field} = r.{column} limit 1) is null)"
        ).format(**names, **other)
    if kind == "unique":
        return sql.SQL(
            "count(*) filter (where (select true from {table} as t where t.{column} = r.{column} limit 1 offset 1))"
        ).format(**names)
    return sql.SQL("count(*) filter (where r.{column} is null)").format(**names)
