"""`clickstream sql`: it answers, it says what is wrong with a query, and it cannot write, whatever it is told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from cli_command import Command, Ran

WRONG = {
    "selec 1": 'syntax error at or near "selec". Fix the query',
    "select * from nope": "select tablename from pg_tables",
    "select nope from etl_ledger": "and run it again",
    "select visitor from fact_sessions": "Perhaps you meant",
    "select 1/0": "division by zero. Fix the query",
    "": "one statement at a time",
}
WRITES = [
    "delete from etl_ledger",
    "insert into shop_settings values (true)",
    "create table mine (a int)",
    "create temporary table mine (a int)",
    "begin; reset role; drop table etl_ledger; commit",
    "rollback; begin read write; drop table etl_ledger; commit",
    "set transaction read write; delete from etl_ledger; commit",
    "commit; set default_transaction_read_only = off; truncate etl_ledger; commit",
    "set session characteristics as transaction read write; commit; drop table etl_ledger; commit",
    "commit; set session authorization postgres; drop table etl_ledger; commit",
    "commit; set role postgres; drop table etl_ledger; commit",
    "with gone as (delete from etl_ledger returning *) select * from gone",
    "set transaction read write; create table mine (a int); commit",
    "commit; begin read write; alter role clickstream_reader superuser; commit",
    "copy (select 1) to program 'cat'",
    "select 1; select 2",
    "set statement_timeout = 0",
    "commit; set statement_timeout = 0; select lo_from_bytea(0, 'abc')",
    "select lo_from_bytea(0, 'abc')",
    "select pg_advisory_lock(1668049267, hashtext('clickstream_events'))",
    "alter role clickstream_reader set statement_timeout = 0",
    "select pg_terminate_backend(1)",
]


@pytest.fixture(scope="module", autouse=True)
def migrated(on_server: Command) -> None:
    assert on_server("status").code == 0


@pytest.fixture(scope="module", autouse=True)
def patient(migrated: None, on_server: Command) -> Iterator[Future[Ran]]:
    """A query that asks for more time than there is, begun with the first test of this file: half a minute goes by anyway."""
    query = "select set_config('statement_timeout', '0', false), pg_sleep(40)"
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(on_server, "sql", query)


@pytest.mark.parametrize(("query", "said"), WRONG.items())
def test_a_wrong_query_is_told_in_postgresql_s_words_with_the_next_step(
    on_server: Command, query: str, said: str
) -> None:
    assert said in on_server("sql", query).sentence


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused(on_server: Command, query: str) -> None:
    assert "This command only reads" in on_server("sql", query).sentence


def test_after_all_that_every_table_stands(on_server: Command) -> None:
    query = "select count(*), bool_or(tablename = 'mine') from pg_tables where schemaname = 'public'"
    _, row = csv.reader(io.StringIO(on_server("sql", "--csv", query).out))
    assert int(row[0]) > 15
    assert row[1] == "False"


def test_csv_is_read_by_other_programs_as_it_was_meant(on_server: Command) -> None:
    query = """select 1 as a, E'x,"y"\\nz' as b, null as c, '{"k": [1, null]}'::jsonb as d, array['p', null] as e, 1.50 as f"""
    header, row = csv.reader(io.StringIO(on_server("sql", "--csv", query).out))
    assert header == ["a", "b", "c", "d", "e", "f"]
    assert (row[0], row[1], row[2], row[5]) == ("1", 'x,"y"\nz', "", "1.50")
    assert json.loads(row[3]) == {"k": [1, None]}
    assert json.loads(row[4]) == ["p", None]


def test_an_empty_answer_still_has_its_header(on_server: Command) -> None:
    assert (
        on_server("sql", "--csv", "select partition_hour, received from etl_ledger").out == "partition_hour,received\n"
    )


def test_a_percent_sign_and_markup_are_only_text(on_server: Command) -> None:
    out = on_server("sql", "select '100%' as share, '[bold]x[/bold]' as text, null as nothing").out
    assert "100%" in out
    assert "[bold]x[/bold]" in out
    assert "1 row" in out


@pytest.mark.parametrize(
    ("query", "expected"),
    [("show server_encoding", "UTF8"), ("explain select 1", "Result"), ("values (1), (2)", "2 rows")],
)
def test_what_reads_without_a_select_is_answered(on_server: Command, query: str, expected: str) -> None:
    assert expected in on_server("sql", query).out


def test_a_comment_at_the_end_and_a_semicolon_are_no_second_statement(on_server: Command) -> None:
    assert on_server("sql", "--csv", "select 7 as a; -- done").out == "a\n7\n"


def test_a_query_cannot_give_itself_more_time(patient: Future[Ran]) -> None:
    """The clock of a statement runs from its start, whatever it calls; another one does not follow."""
    assert "Narrow the query, or read an aggregate" in patient.result().sentence
