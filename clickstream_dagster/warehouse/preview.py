"""What a load and its rebuilds would change, without changing it: all of it in one transaction, which is rolled back.

The steps are the real ones. Their commits end a step and keep nothing, so what is told is what would be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from obstore.store import ObjectStore
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ, TRANSACTION_STATUS_INERROR

from clickstream_dagster.partitions import ranges
from clickstream_dagster.settings import MAX_EMPTY_HOURS_IN_RANGE, Postgres, Settings
from clickstream_dagster.warehouse.connection import LOCK_CLASS, Connection, connect, transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.merge import Loaded
from clickstream_dagster.warehouse.migrate import is_current, migrate
from clickstream_dagster.warehouse.models import all_models
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


class _Unkept(Connection):
    """A connection whose transactions are steps of a single one that is never committed."""

    def commit(self) -> None:
        """End a step: what ends with a transaction ends here, and nothing is kept."""
        with self.cursor() as cursor:
            cursor.execute("""
                select relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r'
                """)
            names = [sql.Identifier("pg_temp", name) for (name,) in cursor.fetchall()]
            if names:
                cursor.execute(sql.SQL("drop table {}").format(sql.SQL(", ").join(names)))

    def rollback(self) -> None:
        """Only a step that failed is taken back, and with it everything: there is nothing after it."""
        if self.info.transaction_status == TRANSACTION_STATUS_INERROR:
            super().rollback()

    def set_isolation_level(self, level: int | None) -> None:
        """All steps see one snapshot anyway."""


def preview(
    server: Postgres,
    store: ObjectStore,
    settings: Settings,
    hours_of: Callable[[Connection], list[datetime]],
    on_step: Callable[[str], None] = lambda name: None,
) -> Preview:
    """What loading the hours that `hours_of` finds would change, with the settings and the SQL of now. Other loads wait."""
    with _one_transaction(server, settings) as connection:
        before = _days(connection) if _is_built(connection) else {}
        if not is_current(connection, settings):  # it would keep everybody waiting, to the end
            migrate(connection, settings)
        found = Preview(hours_of(connection))
        for start, end in ranges(found.hours, MAX_EMPTY_HOURS_IN_RANGE):
            on_step("clickstream_events")
            found.loaded += load_hours(connection, store, start, end, is_one_batch=True)
        for model in all_models().values():
            on_step(model.name)
            found.rebuilt.append(rebuild(connection, model))
        after = _days(connection)
    changed = sorted(day for day in before.keys() | after.keys() if before.get(day) != after.get(day))
    found.days = {day: (before.get(day, {}), after.get(day, {})) for day in changed}
    return found


@contextmanager
def _one_transaction(server: Postgres, settings: Settings) -> Iterator[Connection]:
    """The locks come first, in the order of those who take several: a snapshot that was taken while waiting for them would be an
    old one."""
    with closing(connect(server, statement_seconds=settings.statement_seconds, factory=_Unkept)) as connection:
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_advisory_lock(%s, hashtext(name)) from unnest(%s) as name",
                (LOCK_CLASS, sorted(all_models())),
            )
        connection.autocommit = False
        yield connection  # closing it takes everything back


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
