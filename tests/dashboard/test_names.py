"""Codes in words."""

import pytest

from names import in_words


@pytest.mark.parametrize(
    ("dimension", "value", "words"),
    [
        ("country", "US", "United States"),
        ("country", "VN", "Vietnam"),
        ("country", "XX", "XX"),
        ("country", "(none)", "Unknown"),
        ("device", "mobile", "Phone"),
        ("device", "watch", "watch"),
        ("channel", "direct", "direct"),
        (None, "US", "US"),
    ],
)
def test_a_code_is_told_in_words(dimension: str | None, value: str, words: str) -> None:
    assert in_words(dimension, value) == words
