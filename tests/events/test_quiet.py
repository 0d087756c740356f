from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.quiet import LONGEST, QuietHours, QuietNote, Sending, must_look_ahead, sending_time

NIGHT = QuietHours(time(22), time(7))
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def send(due: str, zone: str = "Asia/Shanghai", **values: object) -> Sending:
    chosen: dict[str, object] = {
        "quiet": NIGHT, "now": at(due), "event_starts": None, "min_useful": HOUR,
        "is_urgent": False,
    } | values  # fmt: skip
    return sending_time(at(due), zone=zone, **chosen)  # type: ignore[arg-type]


def test_by_day_it_is_sent_when_it_is_due() -> None:
    assert send("2028-05-16T04:00") == Sending(at("2028-05-16T04:00"))


@pytest.mark.parametrize("due", ["2028-05-16T15:30", "2028-05-16T22:59"])  # 23:30 and 06:59
def test_at_night_it_is_put_off_to_the_morning(due: str) -> None:
    assert send(due) == Sending(at("2028-05-16T23:00"), QuietNote.PUT_OFF)


def test_first_minute_after_quiet_hours_is_not_quiet() -> None:
    assert send("2028-05-16T23:00") == Sending(at("2028-05-16T23:00"))


def test_too_near_the_event_it_is_brought_forward_to_the_evening() -> None:
    # 07:00 for an event at 07:30; looked at in the afternoon before
    found = send(
        "2028-05-16T21:30", now=at("2028-05-16T08:00"), event_starts=at("2028-05-16T23:30")
    )
    assert found == Sending(at("2028-05-16T13:59"), QuietNote.BROUGHT_FORWARD)


def test_too_late_to_bring_forward_it_is_sent_only_when_urgent() -> None:
    late = {"now": at("2028-05-16T20:00"), "event_starts": at("2028-05-16T23:30")}
    assert send("2028-05-16T21:30", **late) == Sending(None, QuietNote.LEFT_OUT)
    assert send("2028-05-16T21:30", **late, is_urgent=True) == Sending(
        at("2028-05-16T21:30"), QuietNote.SENT_AS_URGENT
    )


@pytest.mark.parametrize(
    ("due", "zone", "expected"),
    [
        # Madrid: clocks go forward on 26 March 2028; 07:00 is then 05:00 UTC
        ("2028-03-26T00:30", "Europe/Madrid", "2028-03-26T05:00"),
        # and back on 29 October: 07:00 is 06:00 UTC
        ("2028-10-29T00:30", "Europe/Madrid", "2028-10-29T06:00"),
        # half an hour and three quarters
        ("2028-05-16T18:00", "Asia/Kolkata", "2028-05-17T01:30"),
        ("2028-05-16T18:00", "Asia/Kathmandu", "2028-05-17T01:15"),
    ],
)
def test_morning_is_that_of_the_readers_clock(due: str, zone: str, expected: str) -> None:
    assert send(due, zone) == Sending(at(expected), QuietNote.PUT_OFF)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = QuietHours(time(12), time(14))
    assert send("2028-05-16T05:00", quiet=noon).at == at("2028-05-16T06:00")
    assert send("2028-05-16T15:30", quiet=QuietHours(time(9), time(9))).note == QuietNote.NONE
    assert send("2028-05-16T15:30", quiet=None).at == at("2028-05-16T15:30")


def test_must_look_ahead_only_near_the_event() -> None:
    starts = at("2028-05-16T01:30")
    assert must_look_ahead(starts - 2 * HOUR, event_starts=starts, min_useful=HOUR)
    assert not must_look_ahead(starts - 24 * HOUR, event_starts=starts, min_useful=HOUR)
    assert not must_look_ahead(starts + HOUR, event_starts=starts, min_useful=HOUR)


@given(
    st.datetimes(datetime(2028, 1, 1), datetime(2028, 12, 31)),
    st.sampled_from(["Asia/Shanghai", "Europe/Madrid", "America/Mexico_City", "Asia/Kathmandu",
                     "Pacific/Kiritimati", "America/St_Johns"]),
    st.integers(0, 47), st.integers(1, 46), st.integers(0, 30),
)  # fmt: skip
def test_what_is_sent_is_never_in_quiet_hours_nor_after_the_event(
    due: datetime, zone: str, begins: int, length: int, ahead: int
) -> None:
    quiet = QuietHours(
        time(begins // 2, begins % 2 * 30),
        time((begins + length) % 48 // 2, (begins + length) % 2 * 30),
    )
    instant = due.replace(tzinfo=UTC)
    starts = instant + timedelta(hours=ahead, minutes=1)
    found = sending_time(
        instant, zone=zone, quiet=quiet, now=instant - LONGEST - 2 * HOUR, event_starts=starts,
        min_useful=HOUR, is_urgent=False,
    )  # fmt: skip
    assert found.at is not None
    assert found.at < starts
    assert quiet.around(found.at, zone) is None
