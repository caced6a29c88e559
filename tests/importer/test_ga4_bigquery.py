"""Rows of GA4's export to BigQuery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.importing import outcomes, said


def row(name: str, visitor: str | None = "1.2", params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "event_name": name,
        "event_timestamp": "1772445600000000",
        "user_pseudo_id": visitor,
        "event_params": [{"key": key, "value": _value(value)} for key, value in (params or {}).items()],
        **more,
    }


def _value(value: Any) -> dict[str, Any]:
    kind = "string_value" if isinstance(value, str) else "int_value" if isinstance(value, int) else "double_value"
    return {kind: str(value) if kind == "int_value" else value}


def read(folder: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    found = outcomes(folder, "\n".join(map(json.dumps, rows)), format="ga4-bigquery")
    return [said(one) for one in found]


def test_strangers_of_one_second_are_no_visitor(tmp_path: Path) -> None:
    views = [
        row("page_view", None, {"ga_session_id": 1772445600, "page_location": f"https://x.example/{n}"}) for n in "ab"
    ]
    assert read(tmp_path, *views) == [{"reject": "missing_visitor"}] * 2


def test_the_campaign_of_a_row_is_that_of_its_page(tmp_path: Path) -> None:
    page = {"page_location": "https://x.example/a"}
    collected = {"manual_source": "news", "manual_medium": "email", "manual_campaign_name": "spring", "gclid": "g-1"}
    none = {"source": "(direct)", "medium": "(none)", "campaign": "(not set)"}
    by_params, by_columns, without = read(
        tmp_path,
        row("page_view", params={**page, "source": "news", "medium": "email", "campaign": "spring"}),
        row("page_view", params=page, collected_traffic_source=collected),
        row("page_view", params={**page, **none}),
    )
    wanted = "https://x.example/a?utm_source=news&utm_medium=email&utm_campaign=spring"
    assert by_params["page_url"] == by_columns["page_url"] == wanted
    assert by_columns["props"]["gclid"] == "g-1"
    assert without["page_url"] == "https://x.example/a"


def test_a_purchase_says_its_tax_and_shipping_and_needs_no_consent(tmp_path: Path) -> None:
    shop = {"transaction_id": "T1", "purchase_revenue": 72.05, "tax_value": 3.5999999046325684, "shipping_value": 5.99}
    [purchase] = read(tmp_path, row("purchase", None, {"coupon": "SUMMER", "currency": "USD"}, ecommerce=shop))
    assert purchase["order"] == {"id": "T1", "value": 72.05, "tax": 3.6, "shipping": 5.99, "coupon": "SUMMER"}
    assert purchase["session_id"] == "order:T1"


def test_a_refund_of_nothing_is_of_its_items(tmp_path: Path) -> None:
    items = [{"item_id": "A", "price": 10.01, "quantity": "3"}]
    [refund] = read(
        tmp_path, row("refund", ecommerce={"transaction_id": "T1", "refund_value": 0.0}, items=items, event_params=[])
    )
    assert refund["order"] == {"id": "T1", "items": [{"product_id": "A", "price": 10.01, "quantity": 3}]}


def test_a_name_is_in_snake_case_and_what_the_shop_set_is_kept(tmp_path: Path) -> None:
    properties = [{"key": "tier", "value": {"string_value": "gold", "set_timestamp_micros": "1"}}]
    [event] = read(tmp_path, row("Formular_Abgeschickt", user_properties=properties))
    assert (event["event_name"], event["props"]) == ("formular_abgeschickt", {"user_properties": {"tier": "gold"}})
