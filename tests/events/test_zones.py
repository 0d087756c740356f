"""Wall times, instants, and VTIMEZONE text as two other libraries read it."""

import io
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import icalendar
import pytest
from dateutil import tz as dateutil_tz
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from events.zones import (
    UTC_NAMES,
    UnknownZoneError,
    instant_of,
    vtimezone,
    wall_of,
    zone_named,
    zone_names,
)

FIRST, LAST = date(2020, 1, 1), date(2035, 12, 31)
HARD_ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/Madrid",
    "Pacific/Chatham",
)


def offsets_read_by_rrule(text: str) -> tuple[list[datetime], list[timedelta]]:
    """Expand every observance into (onset, offset after it), sorted by onset."""
    component = icalendar.Timezone.from_ical(text)
    onsets: list[tuple[datetime, timedelta]] = []
    for part in component.subcomponents:
        start = part["DTSTART"].dt
        after = part["TZOFFSETTO"].td
        rule = part.get("RRULE")
        if rule is None:
            onsets.append((start, after))
            continue
        occurrences = rrulestr(rule.to_ical().decode(), dtstart=start)
        onsets.extend((at, after) for at in occurrences.between(start, datetime(2037, 1, 1), True))
    onsets.sort()
    return [at for at, _ in onsets], [offset for _, offset in onsets]


def sample_instants(zone: str) -> list[datetime]:
    """Every tenth day at noon, and three hours on both sides of every change of offset."""
    info = zone_named(zone)
    days = [datetime(2020, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(16 * 365)]
    samples = days[::10]
    for earlier, later in pairwise(days):
        if earlier.astimezone(info).utcoffset() == later.astimezone(info).utcoffset():
            continue
        hours = [earlier + timedelta(hours=n) for n in range(25)]
        before = hours[0].astimezone(info).utcoffset()
        change = next(at for at in hours if at.astimezone(info).utcoffset() != before)
        samples += [change - timedelta(hours=4), change + timedelta(hours=3)]
    return samples


def test_vtimezone_for_every_zone_gives_the_offsets_of_the_database() -> None:
    checked: set[str] = set()
    for zone in sorted(zone_names()):
        text = vtimezone(zone, first=FIRST, last=LAST)
        shape = text.replace(f"TZID:{zone}", "")
        if shape in checked:
            continue
        checked.add(shape)
        onsets, offsets = offsets_read_by_rrule(text)
        info = zone_named(zone)
        for instant in sample_instants(zone):
            local = instant.astimezone(info)
            index = bisect_right(onsets, local.replace(tzinfo=None, fold=0)) - 1
            assert index >= 0, f"{zone}: nothing before {local}"
            assert offsets[index] == local.utcoffset(), f"{zone} at {local}"
    assert len(checked) > 50


@pytest.mark.parametrize("zone", HARD_ZONES)
def test_vtimezone_of_a_hard_zone_is_read_alike_by_dateutil_and_icalendar(zone: str) -> None:
    text = vtimezone(zone, first=date(2024, 1, 1), last=date(2026, 12, 31))
    by_dateutil = dateutil_tz.tzical(io.StringIO(text.replace("\r\n", "\n"))).get(zone)
    by_icalendar = icalendar.Timezone.from_ical(text).to_tz(lookup_tzid=False)
    samples = [at for at in sample_instants(zone) if 2024 <= at.year <= 2026]
    for instant in samples:
        wall = wall_of(instant, zone)
        expected = wall.replace(tzinfo=zone_named(zone)).utcoffset()
        assert wall.replace(tzinfo=by_dateutil).utcoffset() == expected
        assert wall.replace(tzinfo=by_icalendar).utcoffset() == expected


def test_vtimezone_for_every_zone_keeps_to_whole_minutes_and_crlf() -> None:
    for zone in zone_names():
        text = vtimezone(zone, first=date(1900, 1, 1), last=date(1901, 1, 1))
        lines = text.split("\r\n")
        assert lines[-1] == ""
        assert "\n" not in "".join(lines)
        for line in lines:
            name, _, value = line.partition(":")
            if name in {"TZOFFSETFROM", "TZOFFSETTO"}:
                assert len(value) == 5, line


def test_vtimezone_of_a_regular_zone_is_a_pair_repeating_from_1970_whatever_the_years() -> None:
    text = vtimezone("Europe/Madrid", first=date(2024, 5, 1), last=date(2024, 5, 2))

    assert text == vtimezone("Europe/Madrid", first=date(2001, 1, 1), last=date(2090, 1, 1))
    assert text.splitlines() == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Madrid",
        "BEGIN:DAYLIGHT",
        "DTSTART:19700329T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "TZNAME:CEST",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:19701025T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "TZNAME:CET",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def test_vtimezone_of_a_zone_without_daylight_saving_is_one_standard_part() -> None:
    text = vtimezone("Asia/Shanghai", first=date(2024, 1, 1), last=date(2024, 12, 31))

    assert text.splitlines() == [
        "BEGIN:VTIMEZONE",
        "TZID:Asia/Shanghai",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0800",
        "TZOFFSETTO:+0800",
        "TZNAME:CST",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]


def test_vtimezone_of_irish_winter_calls_summer_daylight() -> None:
    lines = vtimezone("Europe/Dublin", first=FIRST, last=LAST).splitlines()

    daylight = lines[lines.index("BEGIN:DAYLIGHT") : lines.index("END:DAYLIGHT")]
    assert "TZOFFSETTO:+0100" in daylight


def test_vtimezone_of_morocco_names_every_transition_and_no_rule() -> None:
    lines = vtimezone("Africa/Casablanca", first=date(2024, 6, 1), last=date(2024, 6, 2))
    starts = [line for line in lines.splitlines() if line.startswith("DTSTART")]

    assert "RRULE" not in lines
    assert starts == [
        "DTSTART:20230101T010000",
        "DTSTART:20230319T030000",
        "DTSTART:20230423T020000",
        "DTSTART:20240310T030000",
        "DTSTART:20240414T020000",
        "DTSTART:20250223T030000",
        "DTSTART:20250406T020000",
    ]


def test_vtimezone_where_the_rule_changed_lists_the_transitions_instead_of_the_present_rule() -> (
    None
):
    before = vtimezone("Asia/Almaty", first=date(2023, 1, 1), last=date(2025, 1, 1))
    since = vtimezone("Asia/Almaty", first=date(2026, 1, 1), last=date(2026, 1, 1))

    assert before.count("BEGIN:STANDARD") == 2
    assert since.count("BEGIN:STANDARD") == 1


def test_vtimezone_of_an_unknown_zone_is_refused() -> None:
    with pytest.raises(UnknownZoneError, match=r"'\.\./etc/passwd' is not an IANA time zone"):
        vtimezone("../etc/passwd", first=FIRST, last=LAST)


def test_instant_of_a_skipped_time_uses_the_offset_before_the_gap() -> None:
    instant = instant_of(datetime(2024, 3, 31, 2, 30), "Europe/Madrid")

    assert instant == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)
    assert wall_of(instant, "Europe/Madrid") == datetime(2024, 3, 31, 3, 30)


def test_instant_of_a_repeated_time_is_the_first() -> None:
    instant = instant_of(datetime(2024, 10, 27, 2, 30, fold=1), "Europe/Madrid")

    assert instant == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wall", "zone", "instant"),
    [
        (datetime(2024, 12, 31, 23, 30), "Asia/Shanghai", datetime(2024, 12, 31, 15, 30)),
        (datetime(2024, 2, 29, 0, 30), "Asia/Shanghai", datetime(2024, 2, 28, 16, 30)),
        (datetime(2024, 7, 1, 9, 30), "Europe/Zurich", datetime(2024, 7, 1, 7, 30)),
        (datetime(2024, 1, 1, 9, 30), "UTC", datetime(2024, 1, 1, 9, 30)),
    ],
)
def test_instant_of_a_plain_time_goes_there_and_back(
    wall: datetime, zone: str, instant: datetime
) -> None:
    assert instant_of(wall, zone) == instant.replace(tzinfo=UTC)
    assert wall_of(instant_of(wall, zone), zone) == wall


@settings(max_examples=200)
@given(
    zone=st.sampled_from(sorted(zone_names())),
    instant=st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_wall_of_any_instant_comes_back_to_it_or_to_its_first_showing(
    zone: str, instant: datetime
) -> None:
    again = instant_of(wall_of(instant, zone), zone)

    assert wall_of(again, zone) == wall_of(instant, zone)
    assert again <= instant


def test_instant_of_an_aware_time_is_refused() -> None:
    with pytest.raises(ValueError, match="carries no zone of its own"):
        instant_of(datetime(2024, 1, 1, tzinfo=UTC), "UTC")


def test_wall_of_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="carries its zone"):
        wall_of(datetime(2024, 1, 1), "UTC")


def test_utc_names_are_zones_without_offset() -> None:
    assert zone_names() > UTC_NAMES
    assert {instant_of(datetime(2024, 7, 1), name) for name in UTC_NAMES} == {
        datetime(2024, 7, 1, tzinfo=UTC)
    }
