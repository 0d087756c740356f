"""GET and HEAD: objects and whole calendars, with tags that hold."""

import icalendar
import pytest

from coordination.accounts.viewer import SYSTEM
from events.owing import set_duty
from events.scheduling import revise_event
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.factories import AT, Cast, make_event, span


def test_object_is_a_calendar_of_its_own(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    got, head = (phone.ask(method, f"jjj/{event.dav_name}") for method in ("GET", "HEAD"))
    calendar = icalendar.Calendar.from_ical(got.text)

    assert got.response["Content-Type"] == "text/calendar; charset=utf-8; component=VEVENT"
    assert got.response["Last-Modified"] == "Mon, 10 Jan 2028 02:00:00 GMT"
    assert "METHOD" not in calendar
    assert [str(one["UID"]) for one in calendar.walk("VEVENT")] == [event.ical_uid]
    assert [str(one["TZID"]) for one in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]
    assert "Content-Encoding" not in got.response
    assert head.text == ""
    assert dict(head.response.items()) == dict(got.response.items())


@pytest.mark.parametrize(
    ("header", "status"),
    [("{}", 304), ("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200), ("junk", 200)],
)
@pytest.mark.parametrize("is_whole", [False, True])
def test_copy_that_is_still_good_is_not_sent_again(
    header: str, status: int, is_whole: bool, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = "jjj/" if is_whole else f"jjj/{event.dav_name}"
    etag = phone.ask("GET", path).response["ETag"]
    answer = phone.ask("GET", path, If_None_Match=header.format(etag))

    assert (answer.status, answer.response["ETag"]) == (status, etag)
    assert (answer.text == "") is (status == 304)


@pytest.mark.parametrize(
    ("header", "status"),
    [("{}", 200), ('"x", {}', 200), ("*", 200), ("W/{}", 412), ('"x"', 412), ("junk", 412)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("is_whole", [False, True])
def test_version_that_was_asked_for_is_sent_or_nothing(
    header: str, status: int, method: str, is_whole: bool, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = "jjj/" if is_whole else f"jjj/{event.dav_name}"
    etag = phone.ask("GET", path).response["ETag"]
    wanted = header.format(etag)
    copy = phone.ask(method, path, If_Match=wanted, If_None_Match=etag)

    assert phone.ask(method, path, If_Match=wanted).status == status
    assert copy.status == (304 if status == 200 else 412)


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Mon, 10 Jan 2028 02:00:00 GMT", 200),
        ("Mon, 10 Jan 2028 01:59:59 GMT", 412),
        ("yesterday", 200),
    ],
)
def test_object_that_changed_since_a_date_is_not_sent(
    date: str, status: int, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"jjj/{event.dav_name}"
    etag = phone.ask("GET", path).response["ETag"]

    assert phone.ask("GET", path, If_Unmodified_Since=date).status == status
    assert phone.ask("GET", path, If_Unmodified_Since=date, If_Match=etag).status == 200


def test_tag_changes_with_the_event(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    paths = ("jjj/", f"jjj/{event.dav_name}")
    before = [phone.ask("GET", path).response["ETag"] for path in paths]
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    after = [phone.ask("GET", path).response["ETag"] for path in paths]

    assert not set(before) & set(after)


def test_calendar_holds_all_of_its_objects_in_one(phone: Phone, cast: Cast) -> None:
    events = [
        make_event(cast.alliance, scheduled=True, named=[cast.member]),
        make_event(
            cast.alliance,
            span=span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Zurich"),
            named=[cast.member],
        ),
    ]
    duty = set_duty(events[0], cast.member, kind="answer", due_at=NOW, viewer=SYSTEM, at=AT)
    answer = phone.ask("GET", "mine/")
    calendar = icalendar.Calendar.from_ical(answer.text)

    assert answer.response["Content-Type"] == "text/calendar; charset=utf-8"
    assert [str(one["UID"]) for one in calendar.walk("VEVENT")] == [e.ical_uid for e in events]
    assert [str(one["UID"]) for one in calendar.walk("VTODO")] == [str(duty.uid)]
    zones = [str(one["TZID"]) for one in calendar.walk("VTIMEZONE")]
    assert zones == ["Asia/Shanghai", "Europe/Zurich"]
    assert str(calendar["NAME"]) == "我的活动"


def test_calendar_without_objects_is_still_a_calendar(phone: Phone) -> None:
    calendar = icalendar.Calendar.from_ical(phone.ask("GET", "jjj/").text)

    assert [one.name for one in calendar.subcomponents] == ["VTIMEZONE"]


def test_person_with_a_browser_is_told_what_this_is(open_phone: OpenPhone) -> None:
    answer = open_phone("liaison").ask("GET", "/dav/")

    assert (answer.status, answer.response["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert len(answer.text) > 10
