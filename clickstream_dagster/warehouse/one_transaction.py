"""Many steps in one transaction, each of which has transactions of its own elsewhere: all of them are kept, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ, TRANSACTION_STATUS_INERROR

from clickstream_dagster.settings import DEFAULT_STATEMENT_SECONDS, Postgres
from clickstream_dagster.warehouse.connection import LOCK_CLASS, Connection, Cursor, WarehouseBusy, connect, owning
from clickstream_dagster.warehouse.load import LISTED
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.replay import REPLAY


class OneTransaction(Connection):
    """A connection whose transactions are steps of a single one."""

    def commit(self) -> None:
        """End a step: what ends with a transaction ends here, and nothing is kept yet."""
        with self.cursor() as cursor:
            _drop_temporary(cursor)
            with owning(cursor):  # those that a rebuild has made in the owner's place
                _drop_temporary(cursor)

    def rollback(self) -> None:
        """Only a step that failed is taken back, and with it everything: there is nothing after it."""
        if self.info.transaction_status == TRANSACTION_STATUS_INERROR:
            super().rollback()

    def set_isolation_level(self, level: int | None) -> None:
        """All steps see one snapshot anyway."""

    def keep(self) -> None:
        """Commit all steps so far."""
        super().commit()


def _drop_temporary(cursor: Cursor) -> None:
    cursor.execute("""
        select relname from pg_class
        where relnamespace = pg_my_temp_schema() and relkind = 'r' and relowner = current_user::regrole
        """)
    names = [sql.Identifier("pg_temp", name) for (name,) in cursor.fetchall()]
    if names:
        cursor.execute(sql.SQL("drop table {}").format(sql.SQL(", ").join(names)))


@contextmanager
def one_transaction(
    server: Postgres, *first: str, statement_seconds: int = DEFAULT_STATEMENT_SECONDS
) -> Iterator[OneTransaction]:
    """A connection for it, while no other process loads or rebuilds; whatever was not kept at the end is taken back. Raises
    `WarehouseBusy` when something else wrote all the same.

    The locks come before the transaction, since a snapshot that was taken while waiting for them would be an old one; and in
    the order of those who take several, so that nobody waits in a circle: `first`, then those of loads and of all tables."""
    with closing(connect(server, statement_seconds=statement_seconds, factory=OneTransaction)) as connection:
        assert isinstance(connection, OneTransaction)
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, autocommit=True)
        with connection.cursor() as cursor:
            for kind, names in (("", [*first]), ("_shared", [LISTED]), ("", [REPLAY, *sorted(all_models())])):
                cursor.execute(
                    f"select pg_advisory_lock{kind}(%s, hashtext(name)) from unnest(%s::text[]) as name",
                    (LOCK_CLASS, names),
                )
        connection.autocommit = False
        try:
            yield connection
        except (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected) as error:
            raise WarehouseBusy("Something else wrote meanwhile, so nothing of this was kept. Run it again.") from error
