"""When something is planned: a window of days of known precision, read from what people write; pure.

A plan is made in January, when most dates are not known: "5月14日", "5月中旬", "第二季度", "每季度末
全年4场", "待定". `read_window` turns such words into windows, one for each time it is held::

    read_window("5月中旬", year=2024).windows
    (Window(date(2024, 5, 11), date(2024, 5, 20), Precision.TEN_DAYS),)

Days are the calendar days of the place where it is held, ends are inclusive, clock times are wall
times there. Words that no rule knows give an unknown window and a warning, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from alliances.time_grammar import (
    UnlikelyTime,
    last_of_month,
    month_span,
    part_span,
    quarter_span,
    read_spans,
)
from alliances.time_spans import Precision, Span
from alliances.time_words import brackets, plain, weekdays
