"""The parts that the settings name: the warehouse, the raw store, the Dagster instance. One place opens them all, so that
a laptop and the cloud run the same code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from obstore.store import ObjectStore
from psycopg2.errors import DeadlockDetected

from clickstream_dagster.settings import QUERY_TIMEOUT_SECONDS, SHOP_DATABASE, SHOP_READER, Postgres, Settings
from clickstream_dagster.warehouse.connection import Connection, connect, may_connect
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.reader import READER_ROLE


@dataclass
class Stack:
    """The running parts behind one `Settings`. What only looks keeps the settings that the tables were built with, since its
    terminal may know of none: other ones are for what loads."""

    settings: Settings
    keeps_settings: bool = False
    _is_migrated: bool = False

    @cached_property
    def server(self) -> Postgres:
        """The warehouse's login for the loader; starts the embedded PostgreSQL when there is no other."""
        if self.settings.postgres:
            return self.settings.postgres
        from clickstream_dagster.local.embedded import start_postgres

        return start_postgres(self.settings.home)

    @property
    def shop(self) -> Postgres | None:
        """The login that reads the shop's own orders: the one of the settings, else that of the shop which `clickstream shop`
        has made beside the embedded warehouse. None: no shop is connected."""
        if self.settings.shop or not self.settings.is_embedded:
            return self.settings.shop
        beside = replace(self.server, user=SHOP_READER, database=SHOP_DATABASE)
        return beside if may_connect(self.server, beside) else None

    @cached_property
    def store(self) -> ObjectStore:
        """The raw bucket, or a folder in `home`, for whoever can wait."""
        from ingest_lambda.settings import open_store

        return open_store(self.raw, is_patient=True)

    @property
    def raw(self) -> str:
        """Where the raw objects are: a bucket's name, or the URL of a folder."""
        return self.settings.raw_bucket or f"file://{self.settings.home / 'raw'}"

    @contextmanager
    def warehouse(self) -> Iterator[Connection]:
        """A connection as the loader, to a warehouse of this version."""
        connection = connect(self.server, statement_seconds=self.settings.statement_seconds)
        try:
            if not self._is_migrated:
                self._migrate(connection)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection with a statement timeout."""
        with self.warehouse():
            pass
        login = self.settings.reader or (READER_ROLE, "")
        # The limit comes with the connection: a role may have lifted its own.
        server = replace(self.server, user=login[0], password=login[1])
        connection = connect(server, statement_seconds=QUERY_TIMEOUT_SECONDS)
        try:
            connection.set_session(readonly=True)
            yield connection
        finally:
            connection.close()

    def _migrate(self, connection: Connection) -> None:
        try:
            migrate(connection, self.settings, keeps_settings=self.keeps_settings)
        except DeadlockDetected:
            # A migration touches the whole catalogue; who goes through it in another order, such as autovacuum, may be in its
            # way once. Nothing of it was kept, and the other one is through now.
            migrate(connection, self.settings, keeps_settings=self.keeps_settings)
        self._is_migrated = True
