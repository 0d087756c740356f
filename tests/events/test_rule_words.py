"""Rules are said in words that leave nothing open: which moment, whose days, whose clock."""

from __future__ import annotations

from datetime import time

import pytest
from django.utils.translation import override

from events.models import ReminderRule
from events.rule_words import rule_in_words

READERS = "the country of each reader's organization"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"offset": "P0D"}, "when it begins"),
        ({"offset": "PT0H", "anchor": "end"}, "when it ends"),
        ({"offset": "P0D", "at_time": time(8)}, "on the day it begins, at 08:00"),
        ({"offset": "P0D", "at_time": time(8), "anchor": "end"}, "on the day it ends, at 08:00"),
        ({"offset": "PT2H", "anchor": "end"}, "2 hours after (counted from the end)"),
        ({"offset": "-P5D", "day_unit": "working"}, "5 working days before"),
        (
            {"offset": "-P5D", "day_unit": "working", "workdays_of": "reader"},
            f"5 working days before (working days of {READERS})",
        ),
        ({"offset": "-PT2H", "day_unit": "working", "workdays_of": "reader"}, "2 hours before"),
        (
            {"offset": "-P7D", "repeat_every": "P2D", "repeat_until": "-P1D"},
            "7 days before; again every 2 days, not later than 1 day before",
        ),
        (
            {"offset": "-P2D", "repeat_every": "PT6H", "repeat_until": "PT0H"},
            "2 days before; again every 6 hours, not later than when it begins",
        ),
        ({"offset": "-P7D", "repeat_until": "-P1D"}, "7 days before"),
    ],
)
def test_rule_in_words_says_which_moment_and_whose_days(
    values: dict[str, object], expected: str
) -> None:
    with override("en"):
        assert rule_in_words(ReminderRule(**values), "en") == expected
