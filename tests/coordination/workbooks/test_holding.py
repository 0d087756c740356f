"""Uploads kept between preview and confirmation."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from coordination.workbooks.holding import FOLDER, held, hold, release

AT = datetime(2028, 3, 31, 15, 30, tzinfo=UTC)


def test_hold_gives_the_file_back_to_the_same_person_only() -> None:
    key = hold(b"workbook", user_id=7, at=AT)

    assert (held(key, user_id=7), held(key, user_id=8)) == (b"workbook", None)


def test_held_with_a_made_up_key_is_none() -> None:
    hold(b"workbook", user_id=7, at=AT)

    assert [held(key, user_id=7) for key in ("", "../../etc/passwd", "0" * 64)] == [None] * 3


def test_held_file_that_was_changed_is_none() -> None:
    key = hold(b"workbook", user_id=7, at=AT)
    (Path(settings.MEDIA_ROOT) / FOLDER / f"7-{key}").write_bytes(b"other")

    assert held(key, user_id=7) is None


def test_release_lets_go() -> None:
    key = hold(b"workbook", user_id=7, at=AT)

    release(key, user_id=7)
    release(key, user_id=7)
    release("../x", user_id=7)

    assert held(key, user_id=7) is None


def test_hold_sweeps_files_older_than_a_day() -> None:
    old, young = hold(b"old", user_id=7, at=AT), hold(b"young", user_id=7, at=AT)
    folder = Path(settings.MEDIA_ROOT) / FOLDER
    for key, age in ((old, timedelta(hours=25)), (young, timedelta(hours=23))):
        moment = (AT - age).timestamp()
        os.utime(folder / f"7-{key}", (moment, moment))

    hold(b"new", user_id=7, at=AT)

    assert (held(old, user_id=7), held(young, user_id=7)) == (None, b"young")
