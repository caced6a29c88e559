"""The collector's log lines, and the metrics that CloudWatch makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ingest_lambda import handler
from ingest_lambda.log import log_metrics
from support.metrics import metrics_of

VIEW = {"event_name": "page_view", "client_id": "c-1"}


@pytest.fixture
def ask(collector: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """The last line that the Lambda logs of a request."""
    monkeypatch.setenv("RAW_BUCKET_NAME", "memory:///")

    def asked(body: Any, **given: str) -> dict[str, Any]:
        handler.handler(collector.request(body, **given), None)
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    return asked


def test_what_was_stored_is_counted(ask: Callable[..., Any]) -> None:
    line = ask([VIEW, {}, VIEW])
    assert metrics_of(line) == ("ingest", {"Accepted": 2, "Rejected": 1})
    assert line["codes"] == {"missing_event_name": 1}


def test_a_refusal_is_not_a_rejected_event(ask: Callable[..., Any]) -> None:
    assert metrics_of(ask([VIEW], path="/elsewhere")) == ("ingest", {"Refused": 1})


def test_a_request_that_could_not_be_stored_is_a_storage_failure(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAW_BUCKET_NAME", "")
    assert metrics_of(ask([VIEW])) == ("ingest", {"StorageFailures": 1})


def test_a_preflight_counts_nothing(ask: Callable[..., Any]) -> None:
    assert "_aws" not in ask("", method="OPTIONS", origin="https://shop.example")


def test_what_is_not_known_is_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    log_metrics("etl", "tick", {"TickSeconds": 1.5, "DiskFreePercent": None, "FreshnessMinutes": 65})
    line = json.loads(capsys.readouterr().out)
    assert metrics_of(line) == ("etl", {"TickSeconds": 1.5, "FreshnessMinutes": 65})
    units = {metric["Name"]: metric["Unit"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert units == {"TickSeconds": "Seconds", "FreshnessMinutes": "None"}


def test_two_installations_keep_their_numbers_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKSTREAM_METRICS_NAMESPACE", "Clickstream/staging")
    log_metrics("etl", "tick", {"HoursOwed": 0})
    assert metrics_of(json.loads(capsys.readouterr().out), "Clickstream/staging") == ("etl", {"HoursOwed": 0})
