"""What a load and its rebuilds would change, without changing it: all of it in one transaction, which is rolled back.

The steps are the real ones. Their commits end a step and keep nothing, so what is told is what would be there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from obstore.store import ObjectStore

from clickstream_dagster.partitions import ranges
from clickstream_dagster.settings import MAX_EMPTY_HOURS_IN_RANGE, Postgres, Settings
from clickstream_dagster.warehouse.connection import Connection, analyze, connect, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.merge import Loaded
from clickstream_dagster.warehouse.migrate import is_current, migrate
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.one_transaction import one_transaction
from clickstream_dagster.warehouse.rebuild import Rebuilt, rebuild

#: The numbers of a day: visitors, sessions and orders, and the revenue of each currency by its code. Without bots.
Day = dict[str, int | Decimal]

_TRAFFIC = "select local_date, visitors, sessions, orders from agg_daily_traffic where not is_bot"
_REVENUE = (
    "select local_date, currency, sum(revenue) from agg_daily_revenue where not is_bot group by local_date, currency"
)


@dataclass
class Preview:
    """What would be loaded from which hours, what each table would lose and gain, and each day whose numbers would change: as
    it is and as it would be."""

    hours: list[datetime]
    loaded: Loaded = field(default_factory=Loaded)
    rebuilt: list[Rebuilt] = field(default_factory=list)
    days: dict[date, tuple[Day, Day]] = field(default_factory=dict)


def preview(
    server: Postgres,
    store: ObjectStore,
    settings: Settings,
    hours_of: Callable[[Connection], list[datetime]],
    on_step: Callable[[str], None] = lambda name: None,
    before: Callable[[Connection], object] = lambda connection: None,
) -> Preview:
    """What loading the hours that `hours_of` finds would change, with the settings and the SQL of now, and what `before` does
    before it. Other loads wait, and where that is a migration, everybody. Raises `WarehouseBusy` when something else wrote
    meanwhile."""
    is_new = not _is_current(server, settings)
    with one_transaction(
        server, *(["migrate"] if is_new else []), statement_seconds=settings.statement_seconds
    ) as connection:
        days_before = _days(connection) if _is_built(connection) else {}
        if is_new:
            migrate(connection, settings)
        before(connection)
        found = Preview(hours_of(connection))
        for start, end in ranges(found.hours, MAX_EMPTY_HOURS_IN_RANGE):
            on_step("clickstream_events")
            found.loaded += load_hours(connection, store, start, end, is_one_batch=True)
        for model in all_models().values():
            on_step(model.name)
            found.rebuilt.append(rebuild(connection, model))
        days_after = _days(connection)
    _analyze(server, [one.model for one in found.rebuilt if one.added] + ["clickstream_events"])
    for day in sorted(days_before.keys() | days_after.keys()):
        was, would_be = days_before.get(day, {}), days_after.get(day, {})
        if was != would_be:
            found.days[day] = was, would_be
    return found


def _is_current(server: Postgres, settings: Settings) -> bool:
    with closing(connect(server)) as connection:
        with transaction(connection) as cursor:
            cursor.execute("select to_regclass('schema_migrations') is not null")
            is_ours = cursor.fetchone() == (True,)
        return is_ours and is_current(connection, settings)


def _analyze(server: Postgres, tables: list[str]) -> None:
    """What a table holds is counted outside of transactions: the planner would go on with what it was told in between."""
    with closing(connect(server)) as connection, transaction(connection) as cursor:
        for table in tables:
            cursor.execute("select to_regclass(%s) is not null", (table,))
            if cursor.fetchone() == (True,):
                analyze(cursor, table)


def _is_built(connection: Connection) -> bool:
    with transaction(connection) as cursor:
        cursor.execute(
            "select to_regclass('agg_daily_traffic') is not null and to_regclass('agg_daily_revenue') is not null"
        )
        return cursor.fetchone() == (True,)


def _days(connection: Connection) -> Mapping[date, Day]:
    with transaction(connection) as cursor:
        cursor.execute(_TRAFFIC)
        days: dict[date, Any] = {
            day: {"visitors": visitors, "sessions": sessions, "orders": orders}
            for day, visitors, sessions, orders in cursor.fetchall()
        }
        cursor.execute(_REVENUE)
        for day, currency, revenue in cursor.fetchall():
            days.setdefault(day, {})[currency] = revenue
        return days
