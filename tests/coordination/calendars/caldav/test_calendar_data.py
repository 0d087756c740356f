"""calendar-data: whole, in part, in UTC; and what is not offered."""

import icalendar
import pytest

from tests.coordination.calendars.caldav.conftest import EVENT_FILTER, Phone
from tests.factories import Cast, make_event, span

DATA = "<C:calendar-data{}>{}</C:calendar-data>"
PART = (
    '<C:comp name="VCALENDAR"><C:prop name="VERSION"/>'
    '<C:comp name="VEVENT"><C:prop name="SUMMARY"/><C:prop name="UID"/>'
    '<C:prop name="DESCRIPTION" novalue="yes"/></C:comp></C:comp>'
)


def read(phone: Phone, inner: str = "", attributes: str = "") -> str:
    prop = DATA.format(attributes, inner)
    return phone.query("jjj/", EVENT_FILTER.format(""), prop=prop).only.text("C:calendar-data")


def test_data_are_the_object_to_the_byte_by_every_way(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, title_zh="“标题” <&> 长" * 8)
    href = f"{phone.home}jjj/{event.dav_name}"
    whole = phone.ask("GET", href).text
    prop = DATA.format("", "")

    assert "\r\n" in whole
    assert read(phone) == whole
    assert phone.multiget("jjj/", href, prop=prop).only.text("C:calendar-data") == whole
    assert phone.sync("jjj/", prop=prop).only.text("C:calendar-data") == whole
    calendar = icalendar.Calendar.from_ical(whole)
    assert "METHOD" not in calendar
    assert [component.name for component in calendar.subcomponents] == ["VTIMEZONE", "VEVENT"]


def test_part_holds_what_was_named_and_no_more(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, title_zh="长标题" * 30)
    text = read(phone, PART)

    assert text.replace("\r\n ", "").split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        f"UID:{event.ical_uid}",
        f"SUMMARY:{'长标题' * 30}",
        "DESCRIPTION:",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


@pytest.mark.parametrize(
    "inner",
    [
        '<C:comp name="VCALENDAR"><C:allprop/><C:allcomp/></C:comp>',
        '<C:comp name="VCALENDAR"/>',
        '<C:limit-recurrence-set start="20280101T000000Z" end="20290101T000000Z"/>',
        '<C:limit-freebusy-set start="20280101T000000Z" end="20290101T000000Z"/>',
    ],
)
def test_all_of_it_is_all_of_it(inner: str, phone: Phone, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True)

    assert read(phone, inner) == read(phone)


def test_expanded_data_have_their_times_in_utc_and_no_zone(phone: Phone, cast: Cast) -> None:
    make_event(cast.alliance, span=span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Zurich"))
    text = read(phone, '<C:expand start="20280101T000000Z" end="20290101T000000Z"/>')

    assert "TZID" not in text
    assert "VTIMEZONE" not in text
    assert "\r\nDTSTART:20280516T073000Z\r\nDTEND:20280516T100000Z\r\n" in text


def test_expanded_whole_days_stay_dates(phone: Phone, cast: Cast) -> None:
    day = span("2028-05-16T00:00", "2028-05-17T00:00", is_all_day=True)
    make_event(cast.alliance, span=day)
    text = read(phone, '<C:expand start="20280101T000000Z" end="20290101T000000Z"/>')

    assert "\r\nDTSTART;VALUE=DATE:20280516\r\nDTEND;VALUE=DATE:20280517\r\n" in text


@pytest.mark.parametrize(
    ("attributes", "inner", "condition"),
    [
        (' content-type="text/html"', "", "C:supported-calendar-data"),
        (' version="1.0"', "", "C:supported-calendar-data"),
        ("", '<C:expand start="x" end="y"/>', "C:valid-filter"),
        ("", "<C:expand/>", "C:valid-filter"),
        ("", '<C:expand start="20280501T000000Z"/>', "C:valid-filter"),
        ("", '<C:limit-freebusy-set end="20280501T000000Z"/>', "C:valid-filter"),
    ],
)
def test_data_that_are_not_offered_are_refused(
    attributes: str, inner: str, condition: str, phone: Phone
) -> None:
    prop = DATA.format(attributes, inner)
    answer = phone.query("jjj/", EVENT_FILTER.format(""), prop=prop)

    assert (answer.status, answer.condition) == (403, [condition])
