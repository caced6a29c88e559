"""Whether Shiny still has what `upstream.py` mends. When one of these fails, take that mending out."""

from __future__ import annotations

import inspect

from shiny import reactive
from shiny.session._session import AppSession

import upstream


def test_shiny_still_guesses_names_by_reading_the_stack() -> None:
    assert "inspect.stack()" in inspect.getsource(reactive.Value._try_infer_name)


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
