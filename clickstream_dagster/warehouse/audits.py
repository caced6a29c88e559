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
    """Run the tests over `rows`, a temporary table of the rows just added."""
    return [
        Audit(
            kind,
            {
                column.name: _failures(cursor, model, rows, column.name, kind, arguments)
                for column in model.columns
                for name, arguments in column.tests
                if name == kind
            },
        )
        for kind in kinds_of(model)
    ]


def passed(cursor: Cursor, model: Model, rows: str) -> list[Audit]:
    """Run the tests over `rows`; their results, none of which has failed. Raises `AuditFailed`."""
    results = audit(cursor, model, rows)
    if not all(result.passed for result in results):
        raise AuditFailed(model.name, results)
    return results


def _failures(cursor: Cursor, model: Model, rows: str, column: str, kind: str, arguments: Mapping[str, Any]) -> int:
    names = {"rows": sql.Identifier(rows), "column": sql.Identifier(column), "table": sql.Identifier(model.name)}
    if kind == "accepted_values":
        values = sql.SQL(", ").join(map(sql.Literal, arguments["values"]))
        query = sql.SQL("select count(*) from {rows} where {column} not in ({values})").format(values=values, **names)
    elif kind == "relationships":
        other = {"other": sql.Identifier(arguments["to"]), "field": sql.Identifier(arguments["field"])}
        query = sql.SQL(
            "select count(*) from {rows} as r where {column} is not null "
            "and not exists (select 1 from {other} as o where o.{field} = r.{column})"
        ).format(**names, **other)
    elif kind == "unique":
        query = sql.SQL(
            "select count(*) from (select {column} from {table} where {column} in (select {column} from {rows}) "
            "group by {column} having count(*) > 1) as repeated"
        ).format(**names)
    else:
        query = sql.SQL("select count(*) from {rows} where {column} is null").format(**names)
    cursor.execute(query)
    return int(cursor.fetchone()[0])  # type: ignore[index]
