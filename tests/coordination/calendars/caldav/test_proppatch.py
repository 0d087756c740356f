"""PROPPATCH: one's own name, colour, order, alarms and zone; everything else is refused."""

import pytest

from coordination.calendars.models import CollectionPreference
from tests.coordination.calendars.caldav.conftest import (
    DECLARED,
    EVENT_FILTER,
    Answer,
    OpenPhone,
    Phone,
)
from tests.factories import Cast, make_event, span

ALARM = "BEGIN:VALARM\nTRIGGER:-PT15M\nACTION:AUDIO\nEND:VALARM\n"
ZONE = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:{}\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n"


def patch(phone: Phone, path: str, *, remove: str = "", **values: str) -> Answer:
    """Set properties, named with _ for : and -."""
    chosen = {
        "name": "D:displayname",
        "color": "A:calendar-color",
        "order": "A:calendar-order",
        "zone": "C:calendar-timezone",
        "alarm": "C:default-alarm-vevent-datetime",
        "alarm_of_days": "C:default-alarm-vevent-date",
        "token": "D:sync-token",
        "unknown": "A:refreshrate",
    }
    inner = "".join(f"<{chosen[key]}>{value}</{chosen[key]}>" for key, value in values.items())
    setting = f"<D:set><D:prop>{inner}</D:prop></D:set>" if inner else ""
    removing = f"<D:remove><D:prop><{remove}/></D:prop></D:remove>" if remove else ""
    body = f"<D:propertyupdate {DECLARED}>{setting}{removing}</D:propertyupdate>"
    return phone.ask("PROPPATCH", path, body)


def test_person_sets_a_calendar_up_for_themselves_alone(open_phone: OpenPhone) -> None:
    phone, other = open_phone("liaison"), open_phone("host")
    usual = other.value("jjj/", "A:calendar-color")
    set_ = patch(phone, "jjj/", name="工作 &amp; 会议", color="#FF0000FF", order="7", alarm=ALARM)

    assert list(set_.only.properties) == [
        "D:displayname",
        "A:calendar-color",
        "A:calendar-order",
        "C:default-alarm-vevent-datetime",
    ]
    assert [
        phone.value("jjj/", name)
        for name in ("D:displayname", "A:calendar-color", "A:calendar-order")
    ] == ["工作 & 会议", "#FF0000FF", "7"]
    assert phone.value("jjj/", "C:default-alarm-vevent-datetime") == ALARM
    assert other.value("jjj/", "A:calendar-color") == usual
    assert phone.value("dongbei/", "A:calendar-color") == usual
    assert other.propfind("jjj/", "C:default-alarm-vevent-datetime").only.refused == {
        "C:default-alarm-vevent-datetime": 404
    }


def test_what_was_set_can_be_set_again_and_taken_away(phone: Phone) -> None:
    patch(phone, "mine/", color="#FF0000")
    patch(phone, "mine/", color="#00FF00", order="3")
    patch(phone, "mine/", remove="A:calendar-color")

    assert phone.value("mine/", "A:calendar-color") == "#DC143CFF"
    assert phone.value("mine/", "A:calendar-order") == "3"
    assert CollectionPreference.objects.count() == 1


def test_alarms_may_be_set_on_the_home_as_apple_does(phone: Phone) -> None:
    answer = patch(phone, "", alarm=ALARM, alarm_of_days="")

    assert list(answer.only.properties) == [
        "C:default-alarm-vevent-datetime",
        "C:default-alarm-vevent-date",
    ]
    assert phone.value("", "C:default-alarm-vevent-datetime") == ALARM


@pytest.mark.parametrize(
    ("path", "values", "refused"),
    [
        ("jjj/", {"token": "x", "color": "#FF0000"}, {"D:sync-token": 403}),
        ("jjj/", {"unknown": "x"}, {"A:refreshrate": 403}),
        ("jjj/", {"color": "red"}, {"A:calendar-color": 403}),
        ("jjj/", {"zone": "Asia/Shanghai"}, {"C:calendar-timezone": 403}),
        ("jjj/", {"name": "x" * 70_000}, {"D:displayname": 403}),
        ("", {"name": "x"}, {"D:displayname": 403}),
        ("/dav/", {"color": "#FF0000"}, {"A:calendar-color": 403}),
    ],
)
def test_what_cannot_be_set_is_refused_property_by_property_and_nothing_is_kept(
    path: str, values: dict[str, str], refused: dict[str, int], phone: Phone
) -> None:
    entry = patch(phone, path, **values).only

    others = {name: status for name, status in entry.refused.items() if name not in refused}
    assert {name: entry.refused[name] for name in refused} == refused
    assert set(others.values()) <= {424}
    assert entry.properties == {}
    assert CollectionPreference.objects.count() == 0


def test_event_s_own_properties_cannot_be_set(staff_phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    entry = patch(staff_phone, f"jjj/{event.dav_name}", name="x").only

    assert entry.refused == {"D:displayname": 403}


@pytest.mark.parametrize("body", ["", "<a/>", f"<D:propertyupdate {DECLARED}/>"])
def test_proppatch_that_says_nothing_is_refused(body: str, phone: Phone) -> None:
    assert phone.ask("PROPPATCH", "jjj/", body).status == 400


def test_whole_days_are_sought_in_the_zone_that_the_person_set(phone: Phone, cast: Cast) -> None:
    day = span("2028-05-16T00:00", "2028-05-17T00:00", is_all_day=True)
    event = make_event(cast.alliance, span=day)
    evening = EVENT_FILTER.format(  # 16:00 to 17:00 in UTC is past midnight in Beijing
        '<C:time-range start="20280516T160000Z" end="20280516T170000Z"/>'
    )
    before = phone.query("jjj/", evening).names
    patch(phone, "jjj/", zone=ZONE.format("Europe/London"))

    assert (before, phone.query("jjj/", evening).names) == ([], [event.dav_name])


def test_name_of_the_zone_follows_the_zone_that_the_person_set(phone: Phone) -> None:
    before = phone.value("jjj/", "C:calendar-timezone-id")
    patch(phone, "jjj/", zone=ZONE.format("Europe/London"))

    assert before == "Asia/Shanghai"
    assert phone.value("jjj/", "C:calendar-timezone-id") == "Europe/London"
    assert "TZID:Europe/London" in phone.value("jjj/", "C:calendar-timezone")
    patch(phone, "jjj/", remove="C:calendar-timezone")
    assert phone.value("jjj/", "C:calendar-timezone-id") == "Asia/Shanghai"
