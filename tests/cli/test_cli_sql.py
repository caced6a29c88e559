"""`clickstream sql`: it answers, it says what is wrong with a query, and it cannot write, whatever it is told."""

from __future__ import annotations

import csv
import io
import json

import pytest
from cli_command import Command

WRONG = {
    "selec 1": 'syntax error at or near "selec". Mend the query',
    "select * from nope": "select tablename from pg_tables",
    "select nope from etl_ledger": "and run it again",
    "select visitor from fact_sessions": "Perhaps you meant",
    "select 1/0": "division by zero. Mend the query",
    "": "Mend the query",
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
]


@pytest.fixture(scope="module", autouse=True)
def migrated(on_server: Command) -> None:
    assert on_server("status").code == 0


@pytest.mark.parametrize(("query", "said"), WRONG.items())
def test_a_wrong_query_is_told_in_postgresql_s_words_with_the_next_step(
    on_server: Command, query: str, said: str
) -> None:
    assert said in on_server("sql", query).sentence


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_writes_is_refused(on_server: Command, query: str) -> None:
    said = on_server("sql", query).sentence
    assert "This command only reads" in said or "permission denied" in said


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


def test_a_query_that_takes_too_long_is_stopped_with_advice(on_server: Command) -> None:
    said = on_server("sql", "set statement_timeout = '50ms'; commit; select pg_sleep(20)").sentence
    assert "Narrow the query, or read an aggregate" in said
