"""Words cut into tokens."""

from __future__ import annotations

import pytest

from alliances.time_words import numeral, plain, tokens


@pytest.mark.parametrize(
    ("run", "value"),
    [("十", 10), ("十二", 12), ("二十四", 24), ("二〇二四", 2024), ("廿五", 25), ("卅", 30)],
)
def test_numeral_reads_chinese_numbers(run: str, value: int) -> None:
    assert numeral(run) == value


def test_tokens_of_words_with_anything_else_are_none() -> None:
    assert tokens(plain("5月14日大会")) is None
