"""What campaigns cost: read from a person's CSV, replaced by the next one, and left alone by everything else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import changes, spend
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import rebuild_all
from clickstream_dagster.warehouse.spend import SpendError, Spent
from support.stories import event, rows, tell

HEAD = "date,campaign,cost,currency\n"
STANDS = "select spent_on::text, campaign, source, channel, currency, cost from campaign_spend order by 1, 2, 3 nulls first, 5"


def told(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "costs.csv"
    path.write_bytes(text.encode(encoding))
    return path


def bring(stack: Stack, path: Path) -> spend.Stored:
    with stack.warehouse() as connection:
        return spend.store(connection, spend.read(path))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (HEAD + "2026-03-01,Black Friday,120.50,EUR\n", "utf-8"),
        ("Campaign;Clicks;Currency;Date;Cost\n BLACK FRIDAY ;9;eur;2026-03-01;120.50\n\n", "utf-8-sig"),
        (
            'date\tcampaign\tcost\tcurrency\r\n2026-03-01\t"black friday"\t100\tEUR\r\n2026-03-01\tBlack friday\t20.5\tEUR',
            "utf-8",
        ),
    ],
)
def test_a_file_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str, encoding: str) -> None:
    key = Spent(date(2026, 3, 1), "black friday", None, None, "EUR")
    assert spend.read(told(tmp_path, text, encoding)) == {key: Decimal("120.5")}


@pytest.mark.parametrize(
    ("text", "said", "step"),
    [
        ("", "line 1: there is no column date", "names the columns: date, campaign, cost, currency"),
        ("date,campaign,cost\n", "line 1: there is no column currency", "its columns are date, campaign, cost"),
        (HEAD, "no line below its head", "Check that it is the file"),
        (HEAD + "2026-03-01,a,1,EUR\n01.03.2026,a,1,EUR\n", "line 3: '01.03.2026' is no date", "2026-11-21"),
        (HEAD + "2026-02-30,a,1,EUR\n", "line 2: '2026-02-30' is no date", "2026-11-21"),
        (HEAD + '2026-03-01,a,"12,50",EUR\n', "line 2: '12,50' is no cost", "1234.50"),
        (HEAD + "2026-03-01,a,-5,EUR\n", "line 2: '-5' is no cost", "without a sign"),
        (HEAD + "2026-03-01,a,5,€\n", "line 2: '€' is no currency", "ISO 4217"),
        (HEAD + "2026-03-01, ,5,EUR\n", "line 2: no campaign", "utm_campaign"),
        (HEAD + "2026-03-01,a,1,200.00,EUR\n", "line 2: 5 cells where the head has 4", "into quotes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, text: str, said: str, step: str) -> None:
    with pytest.raises(SpendError) as refused:
        spend.read(told(tmp_path, text))
    assert said in str(refused.value)
    assert step in str(refused.value)


def test_a_file_takes_the_place_of_what_was_said_of_the_same(stack: Stack, tmp_path: Path) -> None:
    first = told(tmp_path, HEAD + "2026-03-01,a,10,EUR\n2026-03-02,a,20,EUR\n2026-03-02,a,7,USD\n2026-03-02,b,1,EUR\n")
    assert bring(stack, first).replaced == 0
    assert bring(stack, first).replaced == 4
    again = "date,campaign,cost,currency,source\n2026-03-02,a,25,EUR,\n2026-03-02,b,0,EUR,\n2026-03-01,a,3,EUR,Google\n"
    assert bring(stack, told(tmp_path, again)).replaced == 2
    assert rows(stack, STANDS) == [
        ("2026-03-01", "a", None, None, "EUR", 10),
        ("2026-03-01", "a", "google", None, "EUR", 3),
        ("2026-03-02", "a", None, None, "EUR", 25),
        ("2026-03-02", "a", None, None, "USD", 7),
    ]


def test_no_rebuild_touches_it(stack: Stack, tmp_path: Path) -> None:
    bring(stack, told(tmp_path, HEAD + "2026-03-01,a,10,EUR\n"))
    tell(stack, event("1 10:00", path="/"))
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            for model in all_models().values():
                changes.owe_all(cursor, model)
        rebuild_all(connection)
    assert rows(stack, STANDS) == [("2026-03-01", "a", None, None, "EUR", 10)]
