"""Numbers as shops write them, and which sign stands before their cents."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clickstream_dagster.local.importer.amounts import Undecided, bare, decimal_of, read_number
from clickstream_dagster.local.importer.mapping import MappingError
from ingest_lambda.contract import Event
from support.importing import outcomes, said
from support.thorough import examples

MAPPING = "columns: {event_name: {value: purchase}, event_timestamp: day, client_id: who, order.id: number, order.value: total}\n"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.50", "12.50"),
        ("12.50 EUR", "12.50"),
        ("EUR 12.50", "12.50"),
        ("12.50€", "12.50"),
        ("CHF 1'299.00", "1299.00"),
        ("1 299.00 zł", "1299.00"),
        ("1,29,900.00", "129900.00"),
        ("12,34,56,789", "123456789"),
        ("1,299,000", "1299000"),
        ("R$ 7.00", "7.00"),
        ("-$5.00", "-5.00"),
        ("$-5.00", "-5.00"),
        ("(10.00)", "-10.00"),
        ("5.00-", "-5.00"),
        ("kr. 5", "5"),
        ("Rs.500", "500"),
    ],
)
def test_a_number_however_it_is_dressed(text: str, number: str) -> None:
    assert read_number(bare(text), ".") == number


@pytest.mark.parametrize("text", ["about 12", "12 M", "1.2k", "12..5", "1,2,3", "1,29,90", "5 to 6", "", "EUR", "½"])
def test_what_is_no_number(text: str) -> None:
    assert read_number(bare(text), ".") is None


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["1.299", "89,90"], ","),
        (["1,299", "89.90"], "."),
        (["1.299.000"], ","),
        (["1'299.50"], "."),
        (["8.403361344537815"], "."),
        (["0.125", "1.250"], "."),
        (["1234.567"], "."),
        (["12.5", "1.250", "13.75"], "."),
        (["12,34,567"], "."),
        (["12", "7"], None),
        ([], None),
    ],
)
def test_the_sign_before_the_cents(texts: list[str], sign: str | None) -> None:
    assert decimal_of(texts) == sign


@pytest.mark.parametrize("texts", [["1.299", "89", "12.450"], ["1,299"], ["1.299", "1.300", "2.000", "12.5"]])
def test_thousands_without_cents_decide_nothing(texts: list[str]) -> None:
    with pytest.raises(Undecided, match=texts[0]):
        decimal_of(texts)


@settings(max_examples=examples(200), deadline=None)
@given(cents=st.lists(st.integers(0, 10**9), min_size=1), is_german=st.booleans())
def test_amounts_of_one_country_are_read_as_they_are_meant_or_asked_about(cents: list[int], is_german: bool) -> None:
    texts = [f"{Decimal(one) / 100:,.2f}" for one in cents]
    if is_german:
        texts = [text.translate(str.maketrans(".,", ",.")) for text in texts]
    sign = decimal_of(texts)
    assert sign == ("," if is_german else ".")
    assert [Decimal(read_number(bare(text), sign) or "nan") * 100 for text in texts] == cents


def test_a_file_of_thousands_is_asked_about(tmp_path: Path) -> None:
    rows = "day;who;number;total\n14.03.2026;ann;1;1.299\n14.03.2026;bob;2;89\n"
    with pytest.raises(MappingError, match=r"1\.299 could be thousands.*decimal: ','"):
        outcomes(tmp_path, rows, MAPPING)
    for sign, value in ((",", 1299), (".", 1.299)):
        first, _ = map(said, outcomes(tmp_path, rows, f"{MAPPING}decimal: '{sign}'\n"))
        assert first["order"]["value"] == value


def test_thousands_behind_the_first_rows_are_refused_and_not_guessed(tmp_path: Path) -> None:
    rows = "day;who;number;total\n" + "14.03.2026;ann;1;89\n" * 2_000 + "14.03.2026;bob;2;1.299\n"
    *plain, last = map(said, outcomes(tmp_path, rows, MAPPING))
    assert last == {"reject": "invalid_price"}
    assert all(one["order"]["value"] == 89 for one in plain)


@pytest.mark.parametrize(("more", "whose"), [("", "of the other rows"), ("decimal: '.'\n", "the mapping says")])
def test_another_sign_than_the_file_s_is_refused_with_who_said_it(tmp_path: Path, more: str, whose: str) -> None:
    rows = "day;who;number;total\n14.03.2026;ann;1;1.50\n14.03.2026;ann;2;2.50\n14.03.2026;bob;3;1,50\n"
    *_, last = outcomes(tmp_path, rows, MAPPING + more)
    assert not isinstance(last, Event)
    assert f"the decimal point {whose}" in last.message


@pytest.mark.parametrize(
    ("total", "more", "is_refused"),
    [
        ("12.50 USD", "", True),
        ("USD12.50", "constants: {order.currency: EUR}", True),
        ("USD 12.50", "constants: {currency: USD}", False),
        ("US$ 12.50", "", False),
        ("12.50", "", False),
        ("about 12 USD", "", False),
    ],
)
def test_a_currency_beside_the_amounts_must_be_said(tmp_path: Path, total: str, more: str, is_refused: bool) -> None:
    rows = f"day,who,number,total\n2026-03-14,ann,1,{total}\n"
    if not is_refused:
        assert isinstance(outcomes(tmp_path, rows, MAPPING + more)[0], Event)
        return
    with pytest.raises(MappingError, match="amounts are in USD"):
        outcomes(tmp_path, rows, MAPPING + more)
