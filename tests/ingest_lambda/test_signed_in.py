"""Customers who are signed in: the API has checked their token, and its word counts more than the event's."""

from __future__ import annotations

from typing import Any

import pytest

SUB = "7d3f0c2e-1a5b-4c8d-9e6f-0b1a2c3d4e5f"


def signed_in(collector: Any, body: Any, *, path: str = "/clickstream/auth", claims: Any = None, **given: str) -> Any:
    event = collector.request(body, path=path, **given)
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": SUB} if claims is None else claims}}
    return collector.send(event)


@pytest.mark.parametrize("path", ["/clickstream/auth", "/v1/events/auth"])
def test_the_token_says_who_it_is(collector: Any, view: dict[str, Any], path: str) -> None:
    claimed = {**view, "user_id": "somebody-else", "identity_source": "cookie"}
    assert signed_in(collector, [view, claimed], path=path).body["accepted"] == 2
    assert {(event["user_id"], event["identity_source"]) for event in collector.events()} == {(SUB, "cognito_verified")}


def test_the_visitor_stays_who_it_was(collector: Any, view: dict[str, Any]) -> None:
    signed_in(collector, view)
    assert collector.events()[0]["client_id"] == view["client_id"]


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": None}])
def test_a_signed_in_path_without_a_checked_token_is_refused(
    collector: Any, view: dict[str, Any], claims: dict[str, Any]
) -> None:
    assert signed_in(collector, view, claims=claims).codes == ["not_signed_in"]
    answer = collector.post(view, path="/clickstream/auth")
    assert (answer.status, answer.codes) == (401, ["not_signed_in"])
    assert collector.paths() == []


def test_a_preflight_needs_no_token(collector: Any, view: dict[str, Any]) -> None:
    assert collector.post(view, path="/clickstream/auth", method="OPTIONS").status == 204


def test_an_open_path_takes_no_token_s_word(collector: Any, view: dict[str, Any]) -> None:
    assert signed_in(collector, {**view, "user_id": "u-1"}, path="/clickstream").status == 200
    assert collector.events()[0]["user_id"] == "u-1"


@pytest.mark.parametrize("named", ["identity_source", "identitySource"])
@pytest.mark.parametrize("claim", ["cognito_verified", " cognito_verified "])
def test_an_open_path_cannot_claim_that_a_token_was_checked(
    collector: Any, view: dict[str, Any], named: str, claim: str
) -> None:
    forged = {key: value for key, value in view.items() if key != "identity_source"} | {named: claim, "user_id": SUB}
    for body in (forged, {"identity_source": claim, "events": [forged]}):
        assert collector.post(body).status == 200
    assert {event["user_id"] for event in collector.events()} == {SUB}
    assert [event for event in collector.events() if "verified" in str(event.get("identity_source"))] == []
