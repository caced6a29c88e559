"""An event that says which version of the contract it is by: read if that is known, else refused, kept, and read later."""

from __future__ import annotations

from typing import Any

import pytest

from ingest_lambda import contract
from ingest_lambda.reading import draft

VIEW = {"event_name": "page_view", "client_id": "c-1", "event_timestamp": "2026-03-14T15:09:00Z"}


@pytest.mark.parametrize("version", [1, "1", None])
def test_the_version_that_is_known_leaves_no_trace(version: Any) -> None:
    assert draft(VIEW | {"clickstream_version": version}) == draft(VIEW)


@pytest.mark.parametrize("version", [2, "2", 0, 1.5, "one", True, [1], {"major": 1}])
def test_another_is_refused_and_kept_whole_and_its_neighbours_are_not(collector: Any, version: Any) -> None:
    answer = collector.post([VIEW, VIEW | {"clickstream_version": version}])
    assert (answer.status, answer.codes) == (200, ["unknown_version"])
    [kept] = collector.rejected()
    assert "clickstream_version" in kept["body"]
    assert "then replay" in kept["message"]


def test_while_old_and_new_trackers_send_both_are_read(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "READ_VERSIONS", (1, 2))
    answer = collector.post([VIEW, *(VIEW | {"clickstream_version": version} for version in (1, 2, 3))])
    assert answer.codes == ["unknown_version"]
    assert len(collector.events()) == 3


def test_a_shop_s_own_version_is_a_property() -> None:
    assert draft(VIEW | {"schema_version": "7", "version": 2}).props == {"schema_version": "7", "version": 2}
