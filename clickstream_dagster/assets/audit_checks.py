"""The tests of a model's .yml as Dagster's checks: one for each column that must be unique, of some values, or found elsewhere,
and one for all columns that must not be empty. Most columns must not: a check for each would be five hundred rows of Dagster's,
each hour."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from clickstream_dagster.warehouse.audits import Audit, ColumnTest, tests_of
from clickstream_dagster.warehouse.models import Model

FILLED = "columns_are_filled"
_WORDS = {"unique": "is_unique", "accepted_values": "is_known", "relationships": "is_found"}


def check_specs(model: Model) -> list[dg.AssetCheckSpec]:
    """What Dagster knows of the tests before they have run."""
    return [
        dg.AssetCheckSpec(
            name, asset=model.name, blocking=True, description=f"{_meaning(model, tests)}, in the rows rebuilt."
        )
        for name, tests in _by_check(model).items()
    ]


def check_results(model: Model, audits: list[Audit]) -> Iterator[dg.AssetCheckResult]:
    """How they came out; with nothing rebuilt there is nothing that could fail one."""
    failures = {(audit.kind, column): count for audit in audits for column, count in audit.failures.items()}
    for name, tests in _by_check(model).items():
        found = {test.column: failures.get((test.kind, test.column), 0) for test in tests}
        failing = [column for column, count in found.items() if count]
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=model.name,
            passed=not failing,
            description=f"Rows fail it in {', '.join(failing)}." if failing else None,
            metadata={"failing rows": sum(found.values())},
        )


def _by_check(model: Model) -> dict[str, list[ColumnTest]]:
    found: dict[str, list[ColumnTest]] = {}
    for test in tests_of(model):
        name = FILLED if test.kind == "not_null" else f"{test.column}_{_WORDS[test.kind]}"
        found.setdefault(name, []).append(test)
    return found


def _meaning(model: Model, tests: list[ColumnTest]) -> str:
    columns = {column.name: column for column in model.columns}
    test = tests[0]
    arguments = dict(columns[test.column].tests)[test.kind]
    if test.kind == "not_null":
        return f"No value is missing in {', '.join(one.column for one in tests)}"
    if test.kind == "unique":
        return f"No two rows have the same {test.column}"
    if test.kind == "accepted_values":
        return f"{test.column} is one of {', '.join(map(str, arguments['values']))}"
    return f"Each {test.column} is a {arguments['field']} of {arguments['to']}"
