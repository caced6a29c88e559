"""Whether Shiny and Python still have what `upstream.py` mends. When one of these fails, take that mending out."""

from __future__ import annotations

import inspect
import sys
import typing

import pytest
from shiny import reactive
from shiny.otel import _attributes, _core
from shiny.reactive import _reactives
from shiny.session._session import AppSession

import upstream


def test_shiny_still_guesses_names_by_reading_the_stack() -> None:
    assert "inspect.stack()" in inspect.getsource(reactive.Value._try_infer_name)


def test_shiny_still_reads_the_source_of_each_calculation() -> None:
    assert "inspect.getsourcelines" in inspect.getsource(_attributes.extract_source_ref)
    assert "return extract_source_ref(fn)" in inspect.getsource(_reactives.Effect_._extract_otel_attrs)


def test_shiny_still_imports_what_is_not_there_at_each_run() -> None:
    assert "from opentelemetry.sdk.trace import" in inspect.getsource(_core.is_otel_tracing_enabled)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a protocol of Python 3.12 knows its members")
def test_protocols_are_asked_for_their_members_each_time() -> None:
    assert "_get_protocol_attrs(cls)" in inspect.getsource(typing._is_callable_members_only)  # type: ignore[attr-defined]


def test_shiny_still_keeps_a_table_by_its_own_calculation() -> None:
    assert upstream.calculations_of_tables()


def test_shiny_still_notes_what_is_read_in_isolation() -> None:
    value = reactive.Value(1)
    for _ in range(3):
        with reactive.isolate():
            value()
    assert len(value._value_dependents._dependents) == 3


def test_shiny_still_writes_to_every_tab_whatever_there_is_to_say() -> None:
    sending = inspect.getsource(AppSession._flush).partition("message: dict")[2]
    assert "_send_message(message)" in sending
    assert "if " not in sending
