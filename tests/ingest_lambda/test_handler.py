"""The collector as a whole: answers, objects, headers, and that nothing makes it fail."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from ingest_lambda import contract, handler, rereading, sorting
from support.thorough import examples

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
HERE = Path(__file__).resolve().parent


def test_the_sample_request(collector: Any, sample: Callable[[str], Any]) -> None:
    answer = collector.send(sample("request_v2"))
    assert (answer.status, answer.body) == (200, {"accepted": 1, "rejected": 0, "warnings": [], "errors": []})
    (key,) = collector.paths()
    assert re.fullmatch(rf"events/2026/03/14/15/event-{UUID}\.json", key)
    event = collector.events()[0]
    assert event.pop("event_id")
    assert event == {
        "event_name": "view_product",
        "event_timestamp": "2026-03-14T15:09:26.535897Z",
        "received_at": "2026-03-14T15:09:26.535897Z",
        "time_source": "received",
        "session_id": "s-abc",
        "user_id": "u-123",
        "user_login_state": "guest",
        "page_url": "https://example.com/product/sku-1",
        "referrer": "https://google.com",
        "product": {
            "id": "sku-1",
            "name": "Laptop",
            "category": "Computers",
            "brand": "SBW",
            "price": 1200,
            "discount_price": 999,
        },
        "user_agent": "Mozilla/5.0",
    }


def test_one_request_makes_one_object_and_one_for_what_was_rejected(collector: Any, view: dict[str, Any]) -> None:
    answer = collector.post([view, {}, view, 7])
    assert answer.body["errors"][0]["index"] == 1
    assert [key.split("/")[0] for key in collector.paths()] == ["events", "rejected"]
    uuids = {key.split("/")[-1].split("-", 1)[1] for key in collector.paths()}
    assert len(uuids) == 1
    assert [(one["code"], one.get("index", 0)) for one in collector.rejected()] == [
        ("missing_event_name", 1),
        ("invalid_event", 3),
    ]


def test_headers_fill_what_the_event_does_not_say(collector: Any, view: dict[str, Any]) -> None:
    given_headers = {"User_Agent": "Mozilla/5.0", "CloudFront_Viewer_Country": "VN", "Sec_GPC": "1", "DNT": "0"}
    collector.post([view, {**view, "user_agent": "own", "geo": {"country": "de", "city": "Bonn"}}], **given_headers)
    one, other = collector.events()
    assert (one["user_agent"], one["geo"], one["is_gpc"], one["is_dnt"]) == (
        "Mozilla/5.0",
        {"country": "VN"},
        True,
        False,
    )
    assert (other["user_agent"], other["geo"]) == ("own", {"country": "DE", "city": "Bonn"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("user_agent", "x" * 65_536),
        ("user_agent", "a@b.co " * 400),
        ("user_agent", "evil\r\nx-header: 1\x00\ud800"),
        ("cloudfront_viewer_country", "ZZZ\n"),
        ("sec_gpc", "yes"),
        ("referer", "\xff" * 9000),
        ("x_forwarded_for", "1.2.3.4, " * 900),
    ],
)
def test_no_header_costs_an_event(collector: Any, view: dict[str, Any], name: str, text: str) -> None:
    assert collector.post(view, **{name: text}).status == 200
    assert len(collector.events()[0].get("user_agent", "")) <= 2048


def test_consent_and_signals_are_kept(collector: Any, view: dict[str, Any]) -> None:
    collector.post({**view, "consent": "denied", "isGpc": True})
    assert (collector.events()[0]["consent"], collector.events()[0]["is_gpc"]) == ("denied", True)


def test_a_defect_costs_one_event_which_is_kept(
    collector: Any, view: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = sorting.finish
    monkeypatch.setattr(
        sorting, "finish", lambda read, *rest: 1 / 0 if read.values["client_id"] == "bad" else real(read, *rest)
    )
    answer = collector.post([view, {**view, "client_id": "bad"}])
    assert (answer.body["accepted"], answer.codes) == (1, ["internal_error"])
    assert '"client_id": "bad"' in collector.rejected()[0]["body"]
    assert json.loads(capsys.readouterr().out)["error"] == "ZeroDivisionError"


def test_the_lambda_answers_and_logs_one_line_without_payload(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Callable[[str], Any]
) -> None:
    monkeypatch.setenv("RAW_BUCKET_NAME", f"file://{tmp_path}/raw%20bucket")
    response = handler.handler(sample("request_v2"), None)
    (stored,) = (tmp_path / "raw bucket").rglob("*.json")
    contract.decode(stored.read_bytes().strip())
    line = json.loads(capsys.readouterr().out)
    assert (response["statusCode"], line["status"], line["Accepted"], line["Rejected"]) == (200, 200, 1, 0)
    assert line["key"].endswith(stored.name)
    assert not {"u-123", "203.0.113.1", "sku-1"} & set(json.dumps(line).split('"'))


@pytest.mark.parametrize("event", [None, 7, {"headers": 7}, {"requestContext": {"http": 7}}])
def test_the_lambda_never_raises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    monkeypatch.setenv("RAW_BUCKET_NAME", "memory:///")
    response = handler.handler(event, None)
    assert response["statusCode"] == 500
    assert "Traceback" not in response["body"] + capsys.readouterr().out


def test_a_missing_setting_is_named_in_the_log_and_not_in_the_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RAW_BUCKET_NAME", raising=False)
    response = handler.handler({}, None)
    assert response["statusCode"] == 500
    assert "RAW_BUCKET_NAME" not in response["body"]
    assert "RAW_BUCKET_NAME" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ["x", "@", "a@", "a@b.", '"', '"a":{', "4111 ", "1 ", "=a", "%3Fa", "eyJaaa", "Bearer ", "://a", "a.", "\\", "1:"],
)
def test_no_text_makes_the_patterns_slow(collector: Any, text: str) -> None:
    text = text * (60_000 // len(text)) + "@"
    started = time.perf_counter()
    collector.post(text)
    collector.post({"event_name": "a", "client_id": "c", "props": {"x": text[:30_000]}})
    assert time.perf_counter() - started < 3


names = st.sampled_from(
    ["event_name", "eventName", "client_id", "userId", "ts", "product", "ecom", "order", "items", "props", "events",
     "price", "quantity", "currency", "geo", "country", "page_url", "sent_at", "id"]
)  # fmt: skip
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["page_view", "view", "c-1", "12.50", "EUR", "2026-03-14T15:00:00Z", "a@b.co", "https://x.example/?email=a"])
)  # fmt: skip
things = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | st.text(max_size=4), inner, max_size=6)
)
events = st.dictionaries(names, things, max_size=8).map(lambda event: {"event_name": "view", "client_id": "c", **event})


def check(collector: Any, body: str, count: int | None) -> None:
    collector.store = type(collector.store)()
    answer = collector.post(body)
    accepted, rejected = collector.lines("events"), collector.lines("rejected")
    assert answer.status == (200 if accepted else 400)
    assert (answer.body["accepted"], answer.body["rejected"]) == (len(accepted), len(rejected))
    assert count is None or len(accepted) + len(rejected) == count
    assert all(contract.decode(line).visitor_id for line in accepted)
    assert {json.loads(line)["code"] for line in rejected} <= set(contract.REASONS)
    for line in rejected:  # as long as the rules are the same, a loader that reads it again agrees
        with pytest.raises(contract.Reject):
            rereading.event_of(msgspec.json.decode(line, type=contract.Rejection), uuid4)


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(st.lists(events | things, min_size=1, max_size=5), st.booleans())
def test_any_batch_balances(collector: Any, batch: list[Any], is_envelope: bool) -> None:
    body: Any = {"events": batch} if is_envelope else batch
    check(collector, json.dumps(body, ensure_ascii=is_envelope, allow_nan=True), len(batch))


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(150))
@given(st.text(alphabet='{}[]",:\\ \n01eE-.aevnts\ufeff😀\x00') | st.text(), st.integers(0, 200))
def test_any_text_is_answered(collector: Any, text: str, cut: int) -> None:
    good = '[{"event_name":"page_view","client_id":"c"},{"event_name":"x","client_id":"c","props":{"a":[1,2]}}]'
    check(collector, text, None)
    check(collector, good[:cut] + text + good[cut:], None)


def test_the_collector_imports_nothing_of_ours_and_little_else() -> None:
    files = (HERE.parent.parent / "ingest_lambda").glob("*.py")
    # A folder is never the store of a Lambda: its module is imported where one is opened.
    source = "".join(path.read_text(encoding="utf-8") for path in files if path.name != "folder.py")
    at_once = set(re.findall(r"^(?:from|import) ([a-z0-9_]+)", source, re.MULTILINE))
    ever = set(re.findall(r"^\s*(?:from|import) ([a-z0-9_]+)", source, re.MULTILINE))
    import sys

    assert at_once - sys.stdlib_module_names == {"ingest_lambda", "msgspec"}
    assert ever - sys.stdlib_module_names == {"ingest_lambda", "msgspec", "obstore", "boto3", "botocore"}
