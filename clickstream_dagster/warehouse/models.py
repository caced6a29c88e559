"""The SQL models as they lie in `dbt_like_sql/models`: one file, one table, described by the .yml beside it.

The .yml is written in dbt's own words. Which model reads which, and which column comes from which, is read from the SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import sqlglot
from sqlglot import exp

from clickstream_dagster.warehouse.definitions import by_column, plain, read_yaml

LAYERS = ("raw", "core", "marts", "ops")


@dataclass(frozen=True)
class Column:
    """One column of a model, with its dbt tests."""

    name: str
    description: str
    data_type: str
    tests: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class InLake:
    """How a table lies in the lake: the column whose UTC hour a row belongs to, and the order of an hour's rows."""

    hour: str
    order_by: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One table or view. `materialized` says how it is filled:

    loader: by the load of an hour; spans: the sessions; keys: whole keys (`key` names the column) computed again; sum: moved
    by the difference of the facts that it reads, row by row of its `grain`; view: not stored.
    """

    name: str
    layer: str
    sql: str
    description: str
    materialized: str
    key: str | None
    #: By a table that has no column of the key: the SQL that finds the keys whose rows its `removed_rows` and `added_rows` may
    #: change. It may look them up in the model's own table, which stands still meanwhile.
    found_by: Mapping[str, str]
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    lake: InLake | None

    @property
    def column_names(self) -> tuple[str, ...]:
        """In the order of the table."""
        return tuple(column.name for column in self.columns)

    @property
    def measures(self) -> tuple[Column, ...]:
        """The columns of a sum that add up; the others are its grain."""
        return tuple(column for column in self.columns if column.name not in self.grain)

    @property
    def sql_hash(self) -> str:
        """Changes when the definition does."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def sql_by_date(self) -> str:
        """The SQL with its rows in the order of their dates, where it has any. Rows lie in their table as they were added:
        a rebuild of everything would scatter a month, which hours have laid side by side, over the whole of it."""
        has_dates = "local_date" in self.column_names
        return f"select * from (\n{self.sql}\n) as model order by local_date" if has_dates else self.sql

    @cached_property
    def tree(self) -> exp.Expr:
        """The SELECT of this model, parsed."""
        return sqlglot.parse_one(self.sql, dialect="postgres")

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names of the models that the SQL reads."""
        ctes = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        tables = {table.name for table in self.tree.find_all(exp.Table)}
        return frozenset((tables - ctes - {self.name}) & set(_names()))


def _folder(layer: str) -> Any:
    return files("dbt_like_sql").joinpath("models", layer)


@cache
def _names() -> tuple[str, ...]:
    return tuple(
        sorted(
            entry.name.removesuffix(".sql")
            for layer in LAYERS
            for entry in _folder(layer).iterdir()
            if entry.name.endswith(".sql")
        )
    )


@cache
def all_models() -> Mapping[str, Model]:
    """Every model by name, each after the models it reads."""
    found = {
        model.name: model
        for layer in LAYERS
        for entry in sorted(_folder(layer).iterdir(), key=lambda item: str(item.name))
        if entry.name.endswith(".sql")
        for model in [_read(layer, entry.name.removesuffix(".sql"))]
    }
    ordered: dict[str, Model] = {}
    while len(ordered) < len(found):
        ready = [model for name, model in found.items() if name not in ordered and model.reads <= set(ordered)]
        if not ready:
            raise ValueError(f"These models read each other in a circle: {sorted(set(found) - set(ordered))}")
        ordered |= {model.name: model for model in ready}
    return ordered


def _read(layer: str, name: str) -> Model:
    sql = _folder(layer).joinpath(f"{name}.sql").read_text()
    [entry] = read_yaml("models", layer, f"{name}.yml")["models"]
    if entry["name"] != name:
        raise ValueError(f"{name}.yml describes {entry['name']!r}; one file, one table, one name.")
    config = entry["config"]
    return Model(
        name=name,
        layer=layer,
        sql=sql.strip().rstrip(";"),
        description=plain(" ".join(entry["description"].split())),
        materialized=config["materialized"],
        key=config.get("key"),
        found_by=config.get("found_by", {}),
        grain=tuple(config.get("grain", ())),
        columns=tuple(
            Column(
                item["name"],
                _described(item, layer),
                item["data_type"],
                tuple(map(_test, item.get("data_tests", []))),
            )
            for item in entry["columns"]
        ),
        lake=_in_lake(config.get("lake")),
    )


def _in_lake(config: Mapping[str, Any] | None) -> InLake | None:
    return InLake(config["hour"], tuple(config["order_by"])) if config else None


def _described(column: Mapping[str, Any], layer: str) -> str:
    """What it is in its table, and what that means; the names of what we run ourselves are not those of a shop."""
    meant = by_column().get(column["name"]) if layer != "ops" else None
    return plain(f"{column['description']} {meant.means}" if meant else column["description"])


def _test(entry: str | Mapping[str, Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    [(name, arguments)] = entry.items()
    return name, arguments


def stored_readers(name: str) -> list[Model]:
    """The stored models that read this one, directly or through views."""
    readers: list[Model] = []
    for model in all_models().values():
        if name in model.reads and model.materialized == "view":
            readers += stored_readers(model.name)
        elif name in model.reads:
            readers.append(model)
    return list({reader.name: reader for reader in readers}.values())


def sums_of(fact: str) -> list[Model]:
    """The sums that read this table."""
    return [model for model in stored_readers(fact) if model.materialized == "sum"]


def moves_with(model: Model) -> list[str]:
    """What must stand still while this table changes: a fact's sums move with it, a sum is computed from its facts, and a reader
    in which keys are looked up must not get another one meanwhile."""
    if model.materialized == "sum":
        return sorted(model.reads)
    searched = [reader for reader in stored_readers(model.name) if model.name in reader.found_by]
    return [reader.name for reader in (*sums_of(model.name), *searched)]
