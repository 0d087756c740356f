"""Quiet hours and windows on the reader's clock, over midnight and over clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from coordination.deliveries.postponing import (
    Later,
    is_in_time,
    put_off,
    quiet_end,
    window_end,
)

BEIJING, BERLIN, NEW_YORK, KATHMANDU = (
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
)  # fmt: skip
NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}
NOON = {"quiet_from": time(12), "quiet_until": time(14)}


def at(text: str, zone: str = BEIJING, fold: int = 0) -> datetime:
    """Return the instant of a wall time."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return wall.astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "digest", "zone", "end"),
    [
        ("2028-05-16T09:00", "at_once", BEIJING, "2028-05-16T09:00"),
        ("2028-05-16T09:00", "quarter_hour", BEIJING, "2028-05-16T09:15"),
        ("2028-05-16T09:14:59.999", "quarter_hour", BEIJING, "2028-05-16T09:15"),
        ("2028-05-16T09:20", "quarter_hour", KATHMANDU, "2028-05-16T09:30"),
        ("2028-05-16T08:00", "morning", BEIJING, "2028-05-16T08:00"),
        ("2028-05-16T08:00:01", "morning", BEIJING, "2028-05-17T08:00"),
        ("2028-02-29T23:30", "morning", BEIJING, "2028-03-01T08:00"),
        ("2028-03-25T20:00", "morning", BERLIN, "2028-03-26T08:00"),  # a short night
        ("2028-10-28T20:00", "morning", BERLIN, "2028-10-29T08:00"),  # a long one
        ("2028-05-16T09:00", "weekly", BEIJING, "2028-05-22T08:00"),  # a Tuesday
        ("2028-05-22T07:59", "weekly", BEIJING, "2028-05-22T08:00"),
        ("2028-05-22T08:01", "weekly", BEIJING, "2028-05-29T08:00"),
    ],
)
def test_window_end_is_on_the_readers_clock(moment: str, digest: str, zone: str, end: str) -> None:
    assert window_end(at(moment, zone), digest=digest, zone=zone) == at(end, zone)


@pytest.mark.parametrize(
    ("moment", "hours", "zone", "end"),
    [
        ("2028-05-16T21:59", NIGHT, BEIJING, "2028-05-16T21:59"),
        ("2028-05-16T22:00", NIGHT, BEIJING, "2028-05-17T07:00"),
        ("2028-05-17T03:00", NIGHT, BEIJING, "2028-05-17T07:00"),
        ("2028-05-17T07:00", NIGHT, BEIJING, "2028-05-17T07:00"),
        ("2028-05-17T11:59", NOON, BEIJING, "2028-05-17T11:59"),
        ("2028-05-17T12:00", NOON, BEIJING, "2028-05-17T14:00"),
        ("2028-05-17T14:00", NOON, BEIJING, "2028-05-17T14:00"),
        ("2028-03-25T23:00", NIGHT, BERLIN, "2028-03-26T07:00"),
        ("2028-11-04T23:00", NIGHT, NEW_YORK, "2028-11-05T07:00"),
    ],
)
def test_quiet_end_is_on_the_readers_clock(
    moment: str, hours: dict[str, time], zone: str, end: str
) -> None:
    assert quiet_end(at(moment, zone), zone=zone, **hours) == at(end, zone)


def test_quiet_end_in_a_wall_time_that_does_not_exist_is_after_the_gap() -> None:
    hours = {"quiet_from": time(1), "quiet_until": time(2, 30)}  # 02:00 to 03:00 is skipped

    end = quiet_end(at("2028-03-26T01:30", BERLIN), zone=BERLIN, **hours)

    assert end == at("2028-03-26T03:30", BERLIN)


def test_quiet_end_without_hours_is_the_instant_itself() -> None:
    moment = at("2028-05-16T23:00")

    assert quiet_end(moment, quiet_from=None, quiet_until=None, zone=BEIJING) == moment
    assert quiet_end(moment, quiet_from=time(9), quiet_until=time(9), zone=BEIJING) == moment


def wait(due: str, now: str, digest: str = "at_once", **hours: time) -> Later | None:
    chosen = {"quiet_from": None, "quiet_until": None} | hours
    return put_off(at(due), at=at(now), digest=digest, zone=BEIJING, **chosen)  # type: ignore[arg-type]


def test_put_off_names_the_window_the_same_for_all_that_wait_for_it() -> None:
    expected = Later(at("2028-05-16T09:15"), "2028-05-16T01:15Z")

    assert wait("2028-05-16T09:00", "2028-05-16T09:00", "quarter_hour") == expected
    assert wait("2028-05-16T09:14", "2028-05-16T09:14", "quarter_hour") == expected


def test_put_off_to_a_window_that_is_over_goes_out_now() -> None:
    assert wait("2028-05-16T09:00", "2028-05-16T11:00", "quarter_hour") is None


def test_put_off_to_a_window_in_quiet_hours_waits_for_their_end() -> None:
    later = wait(
        "2028-05-16T21:50", "2028-05-16T21:50", "quarter_hour",
        quiet_from=time(21, 55), quiet_until=time(7),
    )  # fmt: skip

    assert later == Later(at("2028-05-17T07:00"), "2028-05-16T23:00Z")


def test_is_in_time_an_hour_before_the_event_at_the_latest() -> None:
    begins = at("2028-05-16T09:00")

    assert is_in_time(begins - timedelta(hours=1), expires_at=begins)
    assert not is_in_time(begins - timedelta(minutes=59), expires_at=begins)
    assert is_in_time(begins, expires_at=None)
