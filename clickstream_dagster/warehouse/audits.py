"""The tests of a model's .yml, run on the rows that were just rebuilt, before they are committed.

Only those rows: a test of an hour costs what the hour costs. A failed test rolls the rebuild back, so a dashboard never
sees what failed it, and the keys stay owed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class ColumnTest:
    """One test of one column: `failures` counts the rows that fail it."""

    kind: str
    column: str
    failures: sql.Composable


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


def tests_of(model: Model) -> list[ColumnTest]:
    """The tests that a model's .yml asks for."""
    return [
        ColumnTest(kind, column.name, _failures(model, column.name, kind, arguments))
        for kind in kinds_of(model)
        for column in model.columns
        for name, arguments in column.tests
        if name == kind
    ]


def failures_of(asked: list[ColumnTest]) -> sql.Composed:
    """What tests count over rows `r`, as the columns of one SELECT."""
    return sql.SQL(", ").join([test.failures for test in asked] or [sql.SQL("count(*)")])


def check(model: Model, asked: list[ColumnTest], failures: Sequence[int]) -> list[Audit]:
    """The outcome of each kind of test. Raises `AuditFailed` when a row fails one."""
    found = list(zip(asked, failures, strict=bool(asked)))
    results = [
        Audit(kind, {test.column: count for test, count in found if test.kind == kind}) for kind in kinds_of(model)
    ]
    if not all(result.passed for result in results):
        raise AuditFailed(model.name, results)
    return results


def passed(cursor: Cursor, model: Model, rows: str) -> list[Audit]:
    """Run the tests over `rows`, a table of the rows just added, in one statement; their results, none of which has failed.
    Raises `AuditFailed`."""
    asked = tests_of(model)
    if not asked:
        return []
    cursor.execute(sql.SQL("select {} from {} as r").format(failures_of(asked), sql.Identifier(rows)))
    return check(model, asked, cursor.fetchone() or ())


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
