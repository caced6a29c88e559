"""Files as shops really have them, through `clickstream import`: each reading with the events that it must come to."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cli_command import Command

CASES = Path(__file__).resolve().parents[1] / "importer" / "cases"
PLAIN = "columns: {event_name: {value: purchase}, event_timestamp: time, client_id: user, order.id: order, order.value: total}"


def events(command: Command) -> list[dict[str, Any]]:
    """Every event that is stored, by time."""
    raw = command.home / "raw"
    lines = [line for key in command.stored() for line in gzip.decompress((raw / key).read_bytes()).splitlines()]
    return sorted((one for one in map(json.loads, lines) if "event_id" in one), key=lambda one: one["event_timestamp"])


def orders(command: Command) -> list[tuple[str, float, str]]:
    return [(one["order"]["id"], one["order"]["value"], one["event_timestamp"][:16]) for one in events(command)]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain.yml"
    path.write_text(PLAIN)
    return path


@pytest.mark.parametrize(
    ("name", "said", "order"),
    [
        ("excel_de.csv", "semicolon, decimal comma, UTF-8", ("O1", 1299.9, "2026-11-20T10:00")),
        ("excel_sep.csv", "semicolon, decimal point, UTF-8, 1 line before the header", None),
        ("utf16.csv", "comma, decimal point, UTF-16", None),
        ("tab.tsv", "tab, decimal point", None),
        ("ga_ui.csv", "4 lines before the header", None),
    ],
)
def test_what_is_not_said_is_found_out_and_told(
    clickstream: Command, plain: Path, name: str, said: str, order: tuple[str, float, str] | None
) -> None:
    done = clickstream("import", CASES / name, "--map", plain)
    assert done.code == 0, done.err
    assert said in " ".join(done.out.split())
    assert orders(clickstream) == [order or ("O1", 12.9, "2026-11-20T10:00")]


def test_a_time_without_an_offset_is_the_shop_s_and_a_bare_date_its_midnight(clickstream: Command, plain: Path) -> None:
    clickstream("import", CASES / "berlin.csv", "--map", plain, CLICKSTREAM_TIMEZONE="Europe/Berlin")
    assert [at for *_, at in orders(clickstream)] == ["2026-07-20T19:30", "2026-07-20T20:30", "2026-11-20T22:30"]


@pytest.mark.parametrize("mapping", [("--map", CASES / "woo.yml"), ("--as", "woocommerce")])
def test_woocommerce_in_new_york(clickstream: Command, mapping: tuple[str | Path, ...]) -> None:
    done = clickstream("import", CASES / "woo.csv", *mapping, CLICKSTREAM_TIMEZONE="America/New_York")
    assert done.code == 0, done.err
    found = [(name, at) for name, _, at in orders(clickstream)]
    assert found == [
        ("502", "2026-11-18T14:00"),
        ("501", "2026-11-19T03:30"),
        ("504", "2026-11-19T05:00"),
        ("503", "2026-11-19T14:10"),
    ]


def test_guests_are_not_one_visitor(clickstream: Command) -> None:
    clickstream("import", CASES / "woo.csv", "--as", "woocommerce")
    assert [one.get("client_id") for one in events(clickstream)].count("0") == 0


def test_a_mapping_may_name_the_zone(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "zone.yml").write_text(PLAIN + "\ntime_zone: Europe/Berlin\n")
    clickstream("import", CASES / "berlin.csv", "--map", "zone.yml", CLICKSTREAM_TIMEZONE="America/New_York")
    assert orders(clickstream)[-1][2] == "2026-11-20T22:30"


@pytest.mark.parametrize(
    ("file", "mapping", "said"),
    [
        ("est.csv", "tzname.yml", "time_zone: America/New_York"),
        ("dup_header.csv", "dup.yml", "2 columns named name"),
    ],
)
def test_what_could_mean_two_things_is_refused_in_words(
    clickstream: Command, file: str, mapping: str, said: str
) -> None:
    assert said in clickstream("import", CASES / file, "--map", CASES / mapping).sentence
    assert clickstream.stored() == []


def test_words_of_a_mapping_stay_words(clickstream: Command) -> None:
    clickstream("import", CASES / "norway.csv", "--map", CASES / "norway.yml")
    assert [one["geo"]["country"] for one in events(clickstream)] in (["NO", "SE"], ["SE", "NO"])


def test_yes_and_no_are_words_too(clickstream: Command) -> None:
    clickstream("import", CASES / "yesno.csv", "--map", CASES / "yesno.yml")
    assert {one["event_name"] for one in events(clickstream)} == {"purchase", "checkout"}


def test_seconds_with_and_without_a_fraction_in_one_column(clickstream: Command) -> None:
    done = clickstream("import", CASES / "bq.csv", "--map", CASES / "bq.yml", CLICKSTREAM_TIMEZONE="Europe/Berlin")
    assert "3 events" in done.out
    assert [at for *_, at in orders(clickstream)] == ["2026-11-20T10:00"] * 3


def test_an_array_over_many_lines_is_read_whole(clickstream: Command, tmp_path: Path) -> None:
    assert "3 events" in clickstream("import", CASES / "array2.json").out
    (tmp_path / "packed.json.gz").write_bytes(gzip.compress((CASES / "array2.json").read_bytes()))
    assert "3 events" in clickstream("import", "packed.json.gz").out


@pytest.mark.parametrize(("word", "value"), [("true", True), ("0", False), ("YES", True), ("no", False)])
def test_a_boolean_takes_the_words_that_people_write(
    clickstream: Command, tmp_path: Path, word: str, value: bool
) -> None:
    (tmp_path / "bool.csv").write_text((CASES / "bool.csv").read_text().replace(",true", f",{word}"))
    clickstream("import", "bool.csv", "--map", CASES / "bool.yml")
    assert [one["is_first_visit"] for one in events(clickstream)] == [value]


def test_a_mended_mapping_brings_what_the_first_one_refused_and_no_row_twice(on_server: Command) -> None:
    assert on_server("import", CASES / "remap.csv", "--map", CASES / "remap1.yml").code == 1
    mended = on_server("import", CASES / "remap.csv", "--map", CASES / "remap2.yml")
    assert "nothing new" not in mended.out
    assert "read in another way" in mended.out
    assert on_server("materialize").code == 0
    found = on_server("sql", "--csv", "select count(*) as events from fact_events").out
    assert found.split() == ["events", "4"]


SHOPIFY = [("#1001", 129.9, 2), ("#1002", 44.9, 1), ("#1003", 90.0, 3)]


@pytest.mark.parametrize("is_mixed", [False, True])
def test_an_order_with_a_row_for_each_line_is_one_event(clickstream: Command, tmp_path: Path, is_mixed: bool) -> None:
    header, *rows = (CASES / "shopify_orders.csv").read_text().splitlines()
    rows = [rows[0], rows[2], rows[3], rows[1], rows[4], rows[5]] if is_mixed else rows
    (tmp_path / "orders.csv").write_text("\n".join([header, *rows]))
    done = clickstream("import", "orders.csv", "--as", "shopify")
    assert done.code == 0, done.err
    found = events(clickstream)
    assert [(one["order"]["id"], one["order"]["value"], len(one["order"]["items"])) for one in found] == SHOPIFY
    assert sum(one["order"]["value"] for one in found) == pytest.approx(264.80)
    assert next(item["quantity"] for item in found[2]["order"]["items"] if "quantity" in item) == 3


def test_an_import_of_which_much_is_refused_fails_unless_it_may(clickstream: Command, plain: Path) -> None:
    (plain.parent / "half.csv").write_text("time,user,order,total\n2026-11-20 10:00,u1,O1,12\n03/04/2026,u1,O2,12\n")
    refused = clickstream("import", "half.csv", "--map", plain)
    assert "1 of 2 of half.csv" in refused.sentence
    assert clickstream("import", "half.csv", "--map", plain, "--allow-refused").code == 0


def test_an_import_whose_orders_have_no_amount_fails_unless_it_may(clickstream: Command, plain: Path) -> None:
    rows = "".join(f"2026-11-20 10:0{number},u1,O{number},about 12\n" for number in range(3))
    (plain.parent / "words.csv").write_text("time,user,order,total\n" + rows)
    failed = clickstream("import", "words.csv", "--map", plain)
    assert "3 of 3 orders of words.csv have no amount that can be read" in failed.sentence
    assert clickstream("import", "words.csv", "--map", plain, "--allow-refused").code == 0


def test_a_file_that_has_no_amounts_is_as_it_should_be(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,transaction,355908,4000\n"
    )
    done = clickstream("import", "events.csv", "--as", "retailrocket")
    assert done.code == 0, done.err
    assert "1 accepted with a warning: missing_amount" in done.out


def test_what_was_never_paid_is_left_out_and_told(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        "order_id,order_date,status,customer_id,order_total,order_currency,refunded_total\n"
        "1,2026-03-01 10:00,completed,7,10,EUR,0\n2,2026-03-01 10:05,cancelled,8,20,EUR,0\n"
        "3,2026-03-01 10:06,processing,9,30,EUR,4.50\n4,2026-03-01 10:07,refunded,10,40,EUR,\n"
    )
    done = clickstream("import", "orders.csv", "--as", "woocommerce")
    assert "5 events" in done.out, done.err
    assert "1 left out: status: *cancelled" in done.out
    found = [(one["event_name"], one["order"]["id"], one["order"].get("value")) for one in events(clickstream)]
    assert sorted(found, key=str) == [
        *(("purchase", "1", 10), ("purchase", "3", 30), ("purchase", "4", 40)),
        *(("refund", "3", 4.5), ("refund", "4", None)),
    ]


def test_a_check_shows_the_reading_the_events_and_the_reasons_and_stores_nothing(
    clickstream: Command, plain: Path
) -> None:
    (plain.parent / "half.csv").write_text(
        "time,user,order,total\n2026-11-20 10:00,u1,O1,12\n03/04/2026,u1,O2,12\n2026-11-20 11:00,u2,,\n"
    )
    shown = clickstream("import", "--check", "half.csv", "--map", plain)
    assert shown.code == 0, shown.err
    assert "The first 2 events:" in shown.out
    assert '"order":{"id":"O1","value":12}' in shown.out
    assert "line 3: 03/04/2026,u1,O2,12" in shown.out
    assert "2 events, 1 refused. Nothing is stored." in shown.out
    assert "begins with the day or with the month" in " ".join(shown.out.split())
    assert "1 accepted with a warning: missing_order_id" in shown.out
    assert "1 accepted with a warning: missing_amount" in shown.out
    assert clickstream.stored() == []


def test_umlauts_of_windows_and_a_zip(clickstream: Command, plain: Path) -> None:
    text = 'time;user;order;total\r\n25.10.2026 02:30;u1;"Ä\r\nö";1.234,50 €\r\n'.encode("cp1252")
    with zipfile.ZipFile(plain.parent / "shop.csv.zip", "w") as archive:
        archive.writestr("shop.csv", text)
    done = clickstream("import", "shop.csv.zip", "--map", plain, CLICKSTREAM_TIMEZONE="Europe/Berlin")
    assert "semicolon, decimal comma, Windows-1252, times in Europe/Berlin" in done.out
    assert orders(clickstream) == [("Ä\r\nö", 1234.5, "2026-10-25T00:30")]


def test_a_workbook_is_refused_with_the_way_out(clickstream: Command, plain: Path) -> None:
    with zipfile.ZipFile(plain.parent / "shop.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
        archive.writestr("[Content_Types].xml", "")
    assert "Save As, CSV UTF-8" in clickstream("import", "shop.xlsx", "--map", plain).sentence


@pytest.mark.parametrize("text", ["", "time,user,order,total\n"])
def test_a_file_without_rows_is_refused(clickstream: Command, plain: Path, text: str) -> None:
    (plain.parent / "none.csv").write_text(text)
    sentence = clickstream("import", "none.csv", "--map", plain).sentence
    assert "is empty" in sentence or "holds no events" in sentence


def test_a_file_of_which_all_is_left_out_says_so(clickstream: Command, tmp_path: Path) -> None:
    (tmp_path / "woo.csv").write_text("order_id,order_date,customer_id,order_total,status\n1,2026-03-01,7,10,failed\n")
    sentence = clickstream("import", "woo.csv", "--as", "woocommerce").sentence
    assert "No line of woo.csv is an event: 1 left out (the first: status: *failed)" in sentence


def test_a_check_names_the_columns_that_nothing_reads_and_those_that_are_not_there(
    clickstream: Command, tmp_path: Path
) -> None:
    (tmp_path / "woo.csv").write_text("order_id,order_date,customer_id,order_total,note\n1,2026-03-01,7,10,x\n")
    shown = " ".join(clickstream("import", "--check", "woo.csv", "--as", "woocommerce").out.split())
    assert "woo.csv: columns that nothing reads: note." in shown
    assert "optional columns that the file does not have: discount_total," in shown
    assert "The first event:" in shown


def test_a_file_of_which_nothing_can_be_read_shows_a_line_of_it(clickstream: Command, plain: Path) -> None:
    (plain.parent / "none.csv").write_text("time,user,order,total\n14 Mai 2026,u1,O1,12\n")
    sentence = clickstream("import", "none.csv", "--map", plain).sentence
    assert "line 2: 14 Mai 2026,u1,O1,12" in sentence
    assert "14.03.2026 10:00" in sentence


def test_e_mail_addresses_without_a_key_are_told_and_with_one_are_another_import(
    clickstream: Command, tmp_path: Path
) -> None:
    words = ("import", CASES / "shopify_orders.csv", "--as", "shopify")
    for done in (clickstream(*words, "--check"), clickstream(*words)):
        assert "Email tells who somebody is." in done.out
        assert "CLICKSTREAM_HASH_SALT, which is not set" in " ".join(done.out.split())
    assert {one["session_id"] for one in events(clickstream)} == {"order:#1001", "order:#1002", "order:#1003"}
    assert "imported before, nothing new" in clickstream(*words).out
    hashed = clickstream(*words, "--replace", CLICKSTREAM_HASH_SALT="a secret of the shop")
    assert "Took back" in hashed.out
    assert "tells who" not in hashed.out
    assert {one["client_id"][:2] for one in events(clickstream)} == {"h_"}
    again = clickstream(*words, CLICKSTREAM_HASH_SALT="a secret of the shop")
    assert "imported before, nothing new" in again.out


def test_a_key_is_of_no_matter_where_nothing_is_hashed(clickstream: Command, plain: Path) -> None:
    clickstream("import", CASES / "berlin.csv", "--map", plain)
    again = clickstream("import", CASES / "berlin.csv", "--map", plain, CLICKSTREAM_HASH_SALT="a secret of the shop")
    assert "imported before, nothing new" in again.out


def test_the_same_file_read_in_another_way_is_told(clickstream: Command, plain: Path) -> None:
    clickstream("import", CASES / "berlin.csv", "--map", plain, CLICKSTREAM_TIMEZONE="Europe/Berlin")
    other = clickstream("import", CASES / "berlin.csv", "--map", plain, CLICKSTREAM_TIMEZONE="Europe/Paris")
    assert "read in another way" in other.out
    assert "--replace takes that one back first" in " ".join(other.out.split())
    replaced = clickstream("import", CASES / "berlin.csv", "--map", plain, "--replace")
    assert "read in another way" not in replaced.out
    assert len(clickstream.stored()) == 3
