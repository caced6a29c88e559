"""One asset for each SQL model. It has no partitions: its unit of work is what has changed, key by key, whichever hour
brought it. To rebuild some days on purpose, give `first_date` and `last_date` in the launchpad.
"""

import time
from collections.abc import Iterator
from datetime import date

import dagster as dg
from pydantic import Field

from clickstream_dagster import progress
from clickstream_dagster.assets.audit_checks import check_results, check_specs
from clickstream_dagster.assets.describe import FRESH, OWNERS, definition_metadata, lineage_metadata
from clickstream_dagster.resources import Platform
from clickstream_dagster.warehouse.audits import AuditFailed
from clickstream_dagster.warehouse.connection import estimated_rows
from clickstream_dagster.warehouse.dates import owe_dates
from clickstream_dagster.warehouse.models import Model, all_models
from clickstream_dagster.warehouse.rebuild import Rebuilt, rebuild

#: What a rebuild counts, by the kind of model.
UNITS = {"spans": "visitors worked on", "keys": "keys worked on", "sum": "days worked on"}
#: Whose latest rebuild says how fresh the pages are.
WATCHED = ("etl_ledger", "agg_daily_traffic")
_READY = {name: place for place, name in enumerate(all_models(), 1)}


class Days(dg.Config):
    """Which days to rebuild, changed or not. Leave both empty to rebuild just what has changed."""

    first_date: str | None = Field(None, description="First local date, such as 2026-11-20.")
    last_date: str | None = Field(None, description="Last local date; the first one when empty.")


Outcome = dg.MaterializeResult | dg.AssetCheckResult  # type: ignore[type-arg]


def model_asset(model: Model) -> dg.AssetsDefinition:
    """The asset of a model: same key as its table and its SQL file."""

    @dg.asset(
        name=model.name,
        description=model.description,
        group_name=model.layer,
        deps=[_dep(model, name) for name in sorted(model.reads)],
        owners=OWNERS,
        kinds={"postgres", "view" if model.materialized == "view" else "table"},
        code_version=model.sql_hash[:12],
        metadata=definition_metadata(model),
        check_specs=check_specs(model),
        freshness_policy=FRESH if model.name in WATCHED else None,
    )
    def table(config: Days, platform: Platform) -> Iterator[Outcome]:
        yield from _materialize(model, config, platform)

    return table


def _dep(model: Model, read: str) -> dg.AssetDep:
    """A table follows all hours, and a backfill that holds both waits for them. Dagster counts the whole partition range
    for each such edge in each run, so only the tables that nothing else keeps waiting have one."""
    if read != "clickstream_events" or model.name in ("fact_sessions", "etl_ledger"):
        return dg.AssetDep(read)
    return dg.AssetDep(read, partition_mapping=dg.LastPartitionMapping())


def _materialize(model: Model, config: Days, platform: Platform) -> Iterator[Outcome]:
    started = time.monotonic()
    with platform.stack.warehouse() as connection:
        if config.first_date:
            first = date.fromisoformat(config.first_date)
            owe_dates(connection, model, first, date.fromisoformat(config.last_date or config.first_date))
        try:
            done = rebuild(connection, model)
        except AuditFailed as failed:
            yield from check_results(model, failed.audits)
            raise dg.Failure(str(failed), allow_retries=False) from failed
        rows = estimated_rows(connection, model.name)
    progress.report(model.name, _READY[model.name], len(_READY))
    plots = {} if model.materialized == "view" else _plots(model, done, rows, time.monotonic() - started)
    yield dg.MaterializeResult(
        metadata={**plots, **lineage_metadata(model)}, check_results=list(check_results(model, done.audits))
    )


def _plots(model: Model, done: Rebuilt, rows: int | None, seconds: float) -> dict[str, float]:
    """The numbers that Dagster draws over time. PostgreSQL's own estimate of the rows: to count them would read the table."""
    counts = {UNITS[model.materialized]: done.keys, "rows added": done.added, "rows removed": done.removed}
    return {**counts, **({} if rows is None else {"rows, estimated": rows}), "seconds": round(seconds, 3)}


model_assets = [model_asset(model) for model in all_models().values() if model.materialized != "loader"]
