"""`clickstream replay`, and what it says. A rule of yesterday, and what a replay then brings in, is in test_cli_from_raw.py."""

from __future__ import annotations

import json

from cli_command import Command

PLACE = "rejected/2026/03/01/10/rejected-00000000-0000-0000-0000-000000000001.json"
VIEW = '{"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-01T10:00:00Z"}'


def refusal(code: str, body: str) -> str:
    return json.dumps({"code": code, "message": "so", "received_at": "2026-03-01T10:00:05Z", "body": body}) + "\n"


def put(home: Command, key: str, text: str) -> None:
    place = home.home / "raw" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_what_the_rules_of_now_let_in_is_loaded_at_once_and_the_ledger_says_so(embedded: Command) -> None:
    put(embedded, PLACE, refusal("internal_error", "{") + refusal("internal_error", VIEW) + refusal("too_old", VIEW))
    embedded("materialize")
    told = embedded("sql", "--csv", "select received, loaded, rejected, replayed from etl_ledger where received > 0")
    assert told.out.splitlines()[1] == "3,1,2,1"
    assert "replayed" in embedded("status", "--hours", "0").out
    done = embedded("replay", "--reason", "internal_error")
    assert (
        "Read again 1 rejected events: loaded 0, duplicate 0 (copies of events received before), still rejected 1."
        in (" ".join(done.out.split()))
    )
    assert "Nothing was changed" in embedded("replay", "--dry-run").out


def test_a_reason_that_does_not_exist_is_told(embedded: Command) -> None:
    assert embedded("replay", "--reason", "internal_eror").sentence == (
        "Nothing is rejected as 'internal_eror'; there is: internal_error, too_old. See: clickstream replay -h"
    )


def test_hours_the_wrong_way_round(embedded: Command) -> None:
    told = embedded("replay", "--from", "2026-03-02", "--to", "2026-03-01").sentence
    assert "swap them" in told
