"""One bad event costs only itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ingest_lambda import settings

GOOD = '{"event_name":"page_view","client_id":"c"}'


def test_one_event_a_list_and_an_envelope(collector: Any, view: dict[str, Any], sample: Callable[[str], Any]) -> None:
    for body in (view, [view, view], {"events": [view]}, sample("canonical_batch"), sample("v1_view")):
        answer = collector.post(body)
        assert (answer.status, answer.body["rejected"]) == (200, 0)
    assert len(collector.paths("events")) == 5
    assert len(collector.lines("events")) == 7


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ('{"event_name":"a","client_id":"c","event_timestamp":1e400}', "invalid_timestamp"),
        ('{"event_name":"a","client_id":"c","props":{"n":NaN}}', "invalid_json"),
        ('{"event_name":"a","client_id":"c","props":{"n":-Infinity}}', "invalid_json"),
        ('{"event_name":"a","client_id":"c",}', "invalid_json"),
        ("{'event_name':'a'}", "invalid_json"),
        (GOOD + " " + GOOD, "invalid_json"),
        ('{"event_name":"a","client_id":' + "1" * 5000 + "}", "invalid_number"),
        ('{"event_name":"a","client_id":"c","props":' + "[" * 21 + "]" * 21 + "}", "too_deep"),
        ('{"event_name":"a","client_id":"c","props":' + "[" * 10_000 + "]" * 10_000 + "}", "too_deep"),
        ("[" * 10_000 + "]" * 10_000, "too_deep"),
        ('{"event_name":"a","client_id":"c","props":{"x":"' + "x" * 65_536 + '"}}', "event_too_large"),
        ("null", "invalid_event"),
        ("[]", "invalid_event"),
        ('"text"', "invalid_event"),
        ('{"event_name":"A","client_id":"c"}', "invalid_event_name"),
    ],
)
def test_one_bad_event_costs_only_itself(collector: Any, bad: str, code: str) -> None:
    for body in (f"[{GOOD},{bad},{GOOD}]", f'{{"events":[{GOOD},{bad},{GOOD}]}}', f"{GOOD}\r\n{bad}\r\n\r\n{GOOD}"):
        answer = collector.post(body)
        assert (answer.status, answer.body["accepted"]) == (200, 2)
        assert [(error["index"], error["code"]) for error in answer.body["errors"]] == [(1, code)]
        kept = collector.rejected()[-1]
        assert kept["body"] == bad if code != "event_too_large" else bad.startswith(kept["body"])


@pytest.mark.parametrize("bad", [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\xaf"'])
def test_bytes_that_are_not_utf_8_cost_their_own_event(collector: Any, bad: bytes) -> None:
    import base64

    body = f"[{GOOD},".encode() + b'{"event_name":"a","client_id":' + bad + b"}]"
    event = {**collector.request(""), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert collector.send(event).codes == ["invalid_utf8"]
    kept = collector.rejected()[0]
    assert (len(collector.events()), kept["body_encoding"]) == (1, "base64")
    assert bad in base64.b64decode(kept["body"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "empty_body"),
        (" \r\n\t ", "empty_body"),
        ("\ufeff", "empty_body"),
        ("[]", "empty_body"),
        ("[ , ,]", "empty_body"),
        ('{"events":[]}', "empty_body"),
        ("null", "invalid_event"),
        ("42", "invalid_event"),
        ('""', "invalid_event"),
        ("{", "invalid_json"),
        ("a=1&b=2", "invalid_json"),
        ('{"events":7}', "missing_event_name"),
    ],
)
def test_a_body_without_a_good_event_is_one_rejection(collector: Any, body: str, code: str) -> None:
    answer = collector.post(body)
    assert (answer.status, answer.codes) == (400, [code])
    assert [one["code"] for one in collector.rejected()] == [code]
    assert not collector.events()


def test_a_list_that_was_cut_short_keeps_its_whole_events(collector: Any) -> None:
    answer = collector.post(f'[{GOOD},{GOOD},{{"event_name":"pa')
    assert (answer.body["accepted"], answer.codes) == (2, ["invalid_json"])
    assert collector.post(f"[{GOOD}] and more").body["accepted"] == 1


def test_the_last_of_two_equal_keys_counts(collector: Any) -> None:
    collector.post('{"event_name":"a","event_name":"b","client_id":"c","events":[1],"events":"x"}')
    assert collector.events()[0]["event_name"] == "b"


def test_what_the_envelope_says_holds_for_every_event_that_does_not_say_otherwise(collector: Any) -> None:
    envelope = {"clientId": "c-0", "tracker_version": "1.2", "event_id": "x", "site": "a", "sentAt": None}
    collector.post({**envelope, "events": [{"event_name": "a"}, {"event_name": "b", "anonymous_id": "c-1"}]})
    assert [event["client_id"] for event in collector.events()] == ["c-0", "c-1"]
    assert [event["tracker_version"] for event in collector.events()] == ["1.2", "1.2"]
    assert collector.events()[0]["props"] == {"event_id": "x", "site": "a"}


@pytest.mark.parametrize("sent_at", ['"soon"', "[1]", "1e400"])
def test_a_bad_sent_at_costs_no_event_and_each_is_warned_of_it(collector: Any, sent_at: str) -> None:
    answer = collector.post(f'{{"sent_at":{sent_at},"events":[{GOOD},{GOOD}]}}')
    assert (answer.status, answer.codes) == (200, [])
    warned = [(one["index"], one["code"], one["field"]) for one in answer.body["warnings"]]
    assert warned == [(0, "invalid_timestamp", "sent_at"), (1, "invalid_timestamp", "sent_at")]
    assert all("sent_at" in event["props"] for event in collector.events())


def test_what_is_no_json_beside_the_events_costs_no_event_and_is_noted(collector: Any) -> None:
    answer = collector.post(f'{{"sent_at":NaN,"events":[{GOOD},{GOOD}]}}')
    assert (answer.status, answer.codes) == (200, [])
    assert all("beside events" in event["props"]["_ignored"][0] for event in collector.events())


@pytest.mark.parametrize("second", ['{"events":[{"event_name":"a","client_id":"c"}]}', '{"x":1}', "x"])
def test_what_follows_an_envelope_is_refused_and_kept(collector: Any, second: str) -> None:
    answer = collector.post(f'{{"events":[{GOOD}]}}\n{second}')
    assert answer.status == 200
    assert len(collector.events()) == 1
    assert [one["body"] for one in collector.rejected()] == [second]


@pytest.mark.parametrize(("count", "status"), [(500, 200), (501, 413), (10_000, 413)])
def test_too_many_events_are_refused_whole(collector: Any, count: int, status: int) -> None:
    answer = collector.post("[" + ",".join([GOOD] * count) + "]")
    assert answer.status == status
    assert len(collector.lines("")) == (count if status == 200 else 0)


@pytest.mark.parametrize("text", ["[" + "," * 900_000, "[" + "1," * 400_000 + "1]", '{"events":[' + "," * 900_000])
def test_a_body_of_nothing_but_commas_is_refused_at_once(collector: Any, text: str) -> None:
    assert collector.post(text).codes == ["too_many_events"]


def test_an_event_at_the_limit_of_its_size(collector: Any) -> None:
    event = {"event_name": "a", "client_id": "c", "props": {"x": ""}}
    event["props"] = {"x": "x" * (settings.MAX_EVENT_BYTES - len(json.dumps(event)))}
    assert collector.post([event]).status == 200


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (r'"a\u0000b"', {"x": "a\ufffdb", "_nul_replaced": True}),
        (r'{"\u0000":1}', {"x": {"\ufffd": 1}, "_nul_replaced": True}),
        (r'"cut \ud83d"', {"x": "cut \ufffd"}),
        (r'"\ude00\ud83d\ude00 \\ud83d"', {"x": "\ufffd😀 \\ud83d"}),
        ("9007199254740992", {"x": 9007199254740992}),
        ("9007199254740993", {"x": "9007199254740993"}),
        ("-" + "9" * 40, {"x": "-" + "9" * 40}),
        ("0.1", {"x": 0.1}),
        ("0.12345678901234567", {"x": "0.12345678901234567"}),
        ("1e400", {"x": "1E+400"}),
        ("1e-999999999999999999999", {"x": "1e-999999999999999999999"}),
        ("-0", {"x": 0}),
        ('{"__proto__":{"a":1},"constructor":null}', {"x": {"__proto__": {"a": 1}, "constructor": None}}),
        ('"\u202e \u200b 👩\u200d💻 e\u0301 é <script>"', {"x": "\u202e \u200b 👩\u200d💻 e\u0301 é <script>"}),
    ],
)
def test_what_a_database_could_not_hold_is_replaced_and_all_else_stays(collector: Any, sent: str, stored: Any) -> None:
    assert collector.post(f'{{"event_name":"a","client_id":"c","props":{{"x":{sent}}}}}').status == 200
    assert collector.events()[0]["props"] == stored
