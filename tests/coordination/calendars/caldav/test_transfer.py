"""PUT and DELETE: what a program sends becomes verbs, or one clear sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from coordination.changes.models import Change
from events.models import Duty, Event
from events.owing import set_duty
from events.scheduling import Host, cancel_event, confirm_event, postpone_event, revise_event
from tests.coordination.calendars.caldav.conftest import Answer, OpenPhone, Phone
from tests.factories import AFTERNOON, AT, MORNING, SYSTEM, Cast, make_event, span, stored

pytestmark = pytest.mark.django_db
UID = "7F5B4A30-6F0C-4E0E-9B7C-1C2D3E4F5A6B"


def put(phone: Phone, path: str, body: str | bytes, **headers: str) -> Answer:
    chosen = {"Content-Type": "text/calendar; charset=utf-8", "Authorization": phone.authorization}
    chosen |= {name.replace("_", "-"): value for name, value in headers.items()}
    kind = chosen.pop("Content-Type")
    data = body.encode() if isinstance(body, str) else body
    client = Client(raise_request_exception=False)
    return Answer(client.generic("PUT", phone.home + path, data, content_type=kind, headers=chosen))


def fetch(phone: Phone, event: Event) -> tuple[str, str]:
    """Return an event's entry with its folds undone, and its tag."""
    answer = phone.ask("GET", f"jjj/{event.dav_name}")
    return answer.text.replace("\r\n ", ""), answer.response["ETag"]


def new_entry(*lines: str, uid: str = UID, component: str = "VEVENT") -> str:
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Test//EN",
            f"BEGIN:{component}",
            f"UID:{uid}",
            "DTSTAMP:20280401T000000Z",
            *lines,
            f"END:{component}",
            "END:VCALENDAR",
            "",
        )
    )


TIMED = (
    "DTSTART;TZID=Asia/Shanghai:20280601T093000",
    "DTEND;TZID=Asia/Shanghai:20280601T113000",
    "SUMMARY:产业对接会",
)


def kinds_of(event: Event) -> list[str]:
    rows = Change.objects.filter(object_uid=event.uid).order_by("number")
    return list(rows.values_list("kind", flat=True))


def full_event(cast: Cast, **values: Any) -> Event:
    chosen: dict[str, Any] = {
        "span": MORNING,
        "hosts": [Host(cast.host)],
        "description_zh": "请各单位参加。\n\n时间请以通知为准",
        "place_zh": "会议中心",
        "place_en": "Conference Centre",
        "address": "科技路1号",
        "latitude": "39.90000",
        "longitude": "116.40000",
        "online_url": "https://meet.example.org/1",
        "contact": "王老师",
        "notes": "预算待批\n\n尚未公开",
    }
    return make_event(cast.alliance, **chosen | values)


def unchanged(event: Event, version: int) -> bool:
    return bool(stored(event).version == version)


def test_put_of_our_own_bytes_changes_nothing(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    body = staff_phone.ask("GET", f"jjj/{event.dav_name}").response.content
    answer = put(staff_phone, f"jjj/{event.dav_name}", body)

    assert (answer.status, answer.text) == (204, "")
    assert "ETag" not in answer.response
    assert kinds_of(event) == ["event.drafted"]


@pytest.mark.parametrize("state", ["scheduled", "confirmed", "postponed", "cancelled"])
@pytest.mark.parametrize("username", ["secretary", "admin"])
def test_put_of_our_own_lines_folded_otherwise_changes_nothing(
    cast: Cast, open_phone: OpenPhone, state: str, username: str
) -> None:
    event = full_event(cast)
    if state == "confirmed":
        confirm_event(event, viewer=SYSTEM, at=AT)
    elif state == "postponed":
        postpone_event(event, reason="会场检修", viewer=SYSTEM, at=AT)
    elif state == "cancelled":
        cancel_event(event, reason="合并举办", viewer=SYSTEM, at=AT)
    phone = open_phone(username)
    text, tag = fetch(phone, event)
    answer = put(phone, f"jjj/{event.dav_name}", text.replace("\r\n", "\n"), If_Match=tag)

    assert answer.status == 204
    assert unchanged(event, event.version)


def test_put_of_another_time_only_moves_the_event(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    text, tag = fetch(staff_phone, event)
    moved = text.replace("20280516T093000", "20280517T100000").replace(
        "20280516T120000", "20280517T123000"
    )
    answer = put(staff_phone, f"jjj/{event.dav_name}", moved, If_Match=tag)
    after = stored(event)

    assert (answer.status, "ETag" in answer.response) == (204, False)
    assert after.span == span("2028-05-17T10:00", "2028-05-17T12:30")
    assert (after.state, after.version, after.sequence) == ("scheduled", 2, 1)
    assert kinds_of(event) == ["event.drafted", "event.moved"]
    last = Change.objects.filter(object_uid=event.uid).order_by("number").last()
    assert last is not None
    assert last.reason == "通过日历修改"
    kept = ("title_zh", "description_zh", "place_zh", "address", "notes", "contact", "online_url")
    assert [getattr(after, name) for name in kept] == [getattr(event, name) for name in kept]


def test_put_of_a_postponed_event_at_a_new_time_brings_no_mark_back(
    cast: Cast, staff_phone: Phone
) -> None:
    event = full_event(cast)
    postpone_event(event, reason="会场检修", viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    assert "SUMMARY:【延期】项目对接会" in text
    moved = text.replace("20280516T093000", "20280523T140000").replace(
        "20280516T120000", "20280523T173000"
    )
    answer = put(
        staff_phone,
        f"jjj/{event.dav_name}",
        moved.replace("END:VEVENT", "COMMENT:会场修好了\r\nEND:VEVENT"),
        If_Match=tag,
    )
    after = stored(event)

    assert answer.status == 204
    assert (after.span, after.state, after.reason) == (AFTERNOON, "scheduled", "会场修好了")
    assert (after.title_zh, after.description_zh) == (event.title_zh, event.description_zh)


def test_put_of_other_words_keeps_what_stands_around_them_out(
    cast: Cast, staff_phone: Phone
) -> None:
    event = full_event(cast)
    confirm_event(event, viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    edited = (
        text.replace("SUMMARY:项目对接会", "SUMMARY:项目对接与路演")
        .replace("请各单位参加。", "请各单位派一人参加。")
        .replace("LOCATION:会议中心", "LOCATION:国际会议中心三层")
    )
    answer = put(staff_phone, f"jjj/{event.dav_name}", edited, If_Match=tag)
    after = stored(event)

    assert answer.status == 204
    assert after.title_zh == "项目对接与路演"
    assert after.title_en == event.title_en
    assert after.description_zh == "请各单位派一人参加。\n\n时间请以通知为准"
    assert (after.place_zh, after.place_en) == ("国际会议中心三层", "Conference Centre")
    assert (after.address, after.latitude) == ("科技路1号", None)
    assert (after.notes, after.contact) == (event.notes, event.contact)
    assert (after.state, after.version) == ("confirmed", event.version + 1)


def test_put_that_edits_the_notes_in_the_description_discloses_nothing(
    cast: Cast, staff_phone: Phone
) -> None:
    event = full_event(cast)
    text, tag = fetch(staff_phone, event)
    edited = text.replace("预算待批", "预算待批，王处长知道").replace("请各单位", "请成员单位")
    put(staff_phone, f"jjj/{event.dav_name}", edited, If_Match=tag)
    after = stored(event)

    assert after.description_zh == "请成员单位参加。\n\n时间请以通知为准"
    assert after.notes == event.notes


@pytest.mark.parametrize(
    ("state", "edits", "kinds", "after"),
    [
        ("scheduled", {"STATUS:TENTATIVE": "STATUS:CONFIRMED"}, ["event.confirmed"], "confirmed"),
        ("scheduled", {"STATUS:TENTATIVE": "STATUS:CANCELLED"}, ["event.cancelled"], "cancelled"),
        ("confirmed", {"STATUS:CONFIRMED": "STATUS:CANCELLED"}, ["event.cancelled"], "cancelled"),
        ("confirmed", {"STATUS:CONFIRMED": "STATUS:TENTATIVE"}, ["event.postponed"], "postponed"),
        ("scheduled", {"SUMMARY:": "SUMMARY:【延期】"}, ["event.postponed"], "postponed"),
        ("confirmed", {"SUMMARY:": "SUMMARY:【已取消】"}, ["event.cancelled"], "cancelled"),
        ("confirmed", {"STATUS:CONFIRMED\r\n": ""}, [], "confirmed"),
        (
            "confirmed",
            {"SUMMARY:": "SUMMARY:关于", "STATUS:CONFIRMED": "STATUS:CANCELLED"},
            ["event.revised", "event.cancelled"],
            "cancelled",
        ),
    ],
)
def test_status_or_a_typed_mark_calls_the_verb_that_is_meant(
    cast: Cast,
    staff_phone: Phone,
    state: str,
    edits: dict[str, str],
    kinds: list[str],
    after: str,
) -> None:
    event = full_event(cast)
    if state == "confirmed":
        confirm_event(event, viewer=SYSTEM, at=AT)
    before = kinds_of(event)
    text, tag = fetch(staff_phone, event)
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    answer = put(staff_phone, f"jjj/{event.dav_name}", text, If_Match=tag)

    assert answer.status == 204, answer.text
    assert kinds_of(event) == before + kinds
    assert stored(event).state == after
    assert stored(event).title_zh in ("项目对接会", "关于项目对接会")


def test_tentative_at_a_new_time_postpones_to_it(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    confirm_event(event, viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    text = (
        text.replace("STATUS:CONFIRMED", "STATUS:TENTATIVE\r\nCOMMENT:等待回复")
        .replace("20280516T093000", "20280523T140000")
        .replace("20280516T120000", "20280523T173000")
    )
    put(staff_phone, f"jjj/{event.dav_name}", text, If_Match=tag)
    after = stored(event)

    assert (after.state, after.span, after.previous_span, after.reason) == (
        "postponed",
        AFTERNOON,
        MORNING,
        "等待回复",
    )


def test_all_of_a_put_is_done_or_nothing(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    text, tag = fetch(staff_phone, event)
    text = text.replace("SUMMARY:项目", "SUMMARY:新项目").replace(
        "20280516T120000", "20280516T080000"
    )
    answer = put(staff_phone, f"jjj/{event.dav_name}", text, If_Match=tag)

    assert (answer.status, answer.condition) == (403, ["C:valid-calendar-object-resource"])
    assert answer.root.findtext("{DAV:}responsedescription") == "结束时间应晚于开始时间。"
    assert unchanged(event, 1)
    assert stored(event).title_zh == "项目对接会"


def test_two_writers_one_wins_and_the_other_is_412(cast: Cast, open_phone: OpenPhone) -> None:
    event = full_event(cast)
    first, second = open_phone("secretary"), open_phone("admin")
    text, tag = fetch(first, event)
    other, other_tag = fetch(second, event)
    won = put(first, f"jjj/{event.dav_name}", text.replace("SUMMARY:", "SUMMARY:甲"), If_Match=tag)
    lost = put(
        second, f"jjj/{event.dav_name}", other.replace("SUMMARY:", "SUMMARY:乙"), If_Match=other_tag
    )

    assert (won.status, lost.status) == (204, 412)
    assert stored(event).title_zh == "甲项目对接会"
    assert lost.condition == []


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("If_Match", '"7-0123456789abcdef"'),
        ("If_Match", "nonsense"),
        ("If_Match", 'W/"1-0123456789abcdef"'),
        ("If_None_Match", "*"),
    ],
)
def test_condition_that_does_not_hold_is_412_before_anything(
    cast: Cast, staff_phone: Phone, header: str, value: str
) -> None:
    event = full_event(cast)
    answer = put(staff_phone, f"jjj/{event.dav_name}", b"not even read", **{header: value})

    assert answer.status == 412
    assert unchanged(event, 1)


def test_condition_on_an_object_that_is_not_there_is_412(cast: Cast, staff_phone: Phone) -> None:
    answer = put(staff_phone, "jjj/new.ics", new_entry(*TIMED), If_Match="*")

    assert (answer.status, Event.objects.count()) == (412, 0)


def test_put_of_a_new_event_makes_it_under_its_own_uid_and_name(
    cast: Cast, staff_phone: Phone
) -> None:
    body = new_entry(
        *TIMED,
        "STATUS:CONFIRMED",
        "DESCRIPTION:第一行\\n第二行\\, 完",
        "LOCATION:中关村",
        "URL:https://meeting.example.com/j/123",
        "CLASS:PUBLIC",
    )
    answer = put(staff_phone, "jjj/My%20Event.ics", body, If_None_Match="*")
    event = Event.objects.get()

    assert (answer.status, answer.text, "ETag" in answer.response) == (201, "", False)
    assert (event.ical_uid, event.dav_name, event.alliance) == (UID, "My Event.ics", cast.alliance)
    assert (event.state, event.audience, event.sequence) == ("scheduled", "members", 0)
    assert event.span == span("2028-06-01T09:30", "2028-06-01T11:30")
    assert (event.title_zh, event.description_zh) == ("产业对接会", "第一行\n第二行, 完")
    assert (event.place_zh, event.online_url) == ("中关村", "https://meeting.example.com/j/123")
    assert kinds_of(event) == ["event.drafted"]
    shown = staff_phone.ask("GET", "jjj/My%20Event.ics").text
    assert f"UID:{UID}\r\n" in shown
    assert put(staff_phone, "jjj/My%20Event.ics", shown).status == 204
    assert unchanged(event, 1)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("DTSTART:20280601T013000Z", "DTEND:20280601T033000Z"),
            span("2028-06-01T09:30", "2028-06-01T11:30"),
        ),
        (
            ("DTSTART:20280601T093000", "DURATION:PT2H"),
            span("2028-06-01T09:30", "2028-06-01T11:30"),
        ),
        (
            ("DTSTART;VALUE=DATE:20280601", "DTEND;VALUE=DATE:20280603"),
            span("2028-06-01T00:00", "2028-06-03T00:00", is_all_day=True),
        ),
        (
            ("DTSTART;VALUE=DATE:20280601",),
            span("2028-06-01T00:00", "2028-06-02T00:00", is_all_day=True),
        ),
        (
            (
                'DTSTART;TZID="Romance Standard Time":20280601T093000',
                'DTEND;TZID="Romance Standard Time":20280601T113000',
            ),
            span("2028-06-01T09:30", "2028-06-01T11:30", "Europe/Paris"),
        ),
        (
            (
                "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Madrid:20280601T093000",
                "DTEND;TZID=/freeassociation.sourceforge.net/Europe/Madrid:20280601T113000",
            ),
            span("2028-06-01T09:30", "2028-06-01T11:30", "Europe/Madrid"),
        ),
    ],
)
def test_time_of_a_new_event_is_read_as_people_mean_it(
    cast: Cast, staff_phone: Phone, lines: tuple[str, ...], expected: Any
) -> None:
    answer = put(staff_phone, "jjj/new.ics", new_entry(*lines, "SUMMARY:会议"))

    assert answer.status == 201, answer.text
    assert Event.objects.get().span == expected


def test_private_new_event_is_the_secretariats_alone(cast: Cast, staff_phone: Phone) -> None:
    put(staff_phone, "jjj/new.ics", new_entry(*TIMED, "CLASS:PRIVATE"))

    assert Event.objects.get().openness == "secretariat"


def test_copy_of_our_own_entry_keeps_only_what_people_wrote(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    postpone_event(event, reason="会场检修", viewer=SYSTEM, at=AT)
    text, _tag = fetch(staff_phone, event)
    answer = put(staff_phone, "jjj/copy.ics", text.replace(event.ical_uid, UID))
    copy = Event.objects.get(ical_uid=UID)

    assert answer.status == 201
    assert copy.title_zh == "项目对接会"
    assert copy.description_zh == event.description_zh


BAD = {
    "two events": (
        new_entry(*TIMED, "END:VEVENT", "BEGIN:VEVENT", "UID:2", *TIMED),
        "C:valid-calendar-object-resource",
    ),
    "no uid": (new_entry(*TIMED).replace(f"UID:{UID}\r\n", ""), "C:valid-calendar-object-resource"),
    "long uid": (new_entry(*TIMED, uid="a" * 256), "C:valid-calendar-object-resource"),
    "method": (
        new_entry(*TIMED).replace("PRODID", "METHOD:REQUEST\r\nPRODID"),
        "C:valid-calendar-object-resource",
    ),
    "rrule": (new_entry(*TIMED, "RRULE:FREQ=WEEKLY"), "C:valid-calendar-object-resource"),
    "rdate": (new_entry(*TIMED, "RDATE:20280608T093000"), "C:valid-calendar-object-resource"),
    "override": (
        new_entry(*TIMED, "RECURRENCE-ID:20280601T093000"),
        "C:valid-calendar-object-resource",
    ),
    "attendee": (
        new_entry(*TIMED, "ATTENDEE;CN=Li:mailto:li@example.org"),
        "C:valid-calendar-object-resource",
    ),
    "file": (new_entry(*TIMED, "ATTACH:https://x.example/a"), "C:valid-calendar-object-resource"),
    "no title": (new_entry(*TIMED[:2]), "C:valid-calendar-object-resource"),
    "long title": (
        new_entry(*TIMED[:2], "SUMMARY:" + "长" * 201),
        "C:valid-calendar-object-resource",
    ),
    "cancelled": (new_entry(*TIMED, "STATUS:CANCELLED"), "C:valid-calendar-object-resource"),
    "no start": (new_entry("SUMMARY:会议"), "C:valid-calendar-object-resource"),
    "no length": (new_entry(TIMED[0], TIMED[2]), "C:valid-calendar-object-resource"),
    "far year": (
        new_entry("DTSTART:00010101T000000Z", "DTEND:99991231T235959Z", "SUMMARY:x"),
        "C:valid-calendar-data",
    ),
    "year out of reach": (
        new_entry("DTSTART:10280101T000000Z", "DTEND:10280101T010000Z", "SUMMARY:x"),
        "C:valid-calendar-object-resource",
    ),
    "unknown zone": (
        new_entry("DTSTART;TZID=Nowhere/Atlantis:20280601T093000", "SUMMARY:x"),
        "C:valid-calendar-data",
    ),
    "no such day": (new_entry("DTSTART:20280231T093000Z", "SUMMARY:x"), "C:valid-calendar-data"),
    "start twice": (new_entry(*TIMED, TIMED[0]), "C:valid-calendar-data"),
    "vcalendar 1.0": (new_entry(*TIMED).replace("2.0", "1.0"), "C:valid-calendar-data"),
    "junk": ("hello", "C:valid-calendar-data"),
    "empty": ("", "C:valid-calendar-data"),
    "unclosed": (new_entry(*TIMED).replace("END:VCALENDAR", ""), "C:valid-calendar-data"),
    "not utf-8": (b"BEGIN:VCALENDAR\xff", "C:valid-calendar-data"),
    "task": (new_entry("SUMMARY:x", component="VTODO"), "C:supported-calendar-component"),
    "journal": (new_entry("SUMMARY:x", component="VJOURNAL"), "C:supported-calendar-component"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_object_that_cannot_be_taken_is_refused_with_its_precondition_and_a_sentence(
    cast: Cast, staff_phone: Phone, name: str
) -> None:
    body, condition = BAD[name]
    answer = put(staff_phone, "jjj/new.ics", body)

    assert (answer.status, answer.condition) == (403, [condition]), answer.text
    assert len(answer.root.findtext("{DAV:}responsedescription") or "") > 5
    assert Event.objects.count() == 0


def test_sender_and_organizer_among_attendees_are_no_invitation(
    cast: Cast, staff_phone: Phone
) -> None:
    lines = (
        "ORGANIZER:mailto:office@example.org",
        "ATTENDEE:MAILTO:office@example.org",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:Secretary@example.org",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "END:VALARM",
    )
    assert put(staff_phone, "jjj/new.ics", new_entry(*TIMED, *lines)).status == 201


@pytest.mark.parametrize(
    ("headers", "status", "condition"),
    [
        ({"Content_Type": "application/calendar+json"}, 415, "C:supported-calendar-data"),
        ({"Content_Type": "text/calendar; charset=gbk"}, 415, "C:supported-calendar-data"),
        ({"Content_Encoding": "gzip"}, 415, "C:supported-calendar-data"),
    ],
)
def test_format_that_is_not_taken_is_415(
    cast: Cast, staff_phone: Phone, headers: dict[str, str], status: int, condition: str
) -> None:
    answer = put(staff_phone, "jjj/new.ics", new_entry(*TIMED), **headers)

    assert (answer.status, answer.condition) == (status, [condition])


def test_object_of_ten_megabytes_is_413(cast: Cast, staff_phone: Phone) -> None:
    body = new_entry(*TIMED, "DESCRIPTION:" + "a" * 10_000_000)
    answer = put(staff_phone, "jjj/new.ics", body)

    assert (answer.status, answer.condition) == (413, ["C:max-resource-size"])


def test_uid_that_is_used_is_a_conflict_with_the_address_of_the_other(
    cast: Cast, staff_phone: Phone
) -> None:
    event = full_event(cast)
    body = new_entry(*TIMED, uid=event.ical_uid)
    answer = put(staff_phone, "jjj/other.ics", body)

    assert (answer.status, answer.condition) == (409, ["C:no-uid-conflict"])
    href = answer.root.findtext("{urn:ietf:params:xml:ns:caldav}no-uid-conflict/{DAV:}href")
    assert href == f"{staff_phone.home}jjj/{event.dav_name}"


def test_uid_of_what_is_not_visible_is_a_conflict_that_tells_nothing(
    cast: Cast, staff_phone: Phone
) -> None:
    hidden = make_event(cast.other, scheduled=True, audience="secretariat")
    for name, uid in (("other.ics", hidden.ical_uid), (hidden.dav_name, UID)):
        answer = put(staff_phone, f"jjj/{name}", new_entry(*TIMED, uid=uid))

        assert (answer.status, answer.condition) == (409, ["C:no-uid-conflict"])
        assert "href" not in answer.text
    assert Event.objects.count() == 1


def test_uid_of_a_planned_event_names_its_page(cast: Cast, staff_phone: Phone) -> None:
    planned = make_event(cast.alliance)
    answer = put(staff_phone, "jjj/x.ics", new_entry(*TIMED, uid=planned.ical_uid))

    assert answer.status == 409
    assert f"/events/{planned.uid}/" in answer.text


def test_other_uid_at_a_used_address_is_a_conflict(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    answer = put(staff_phone, f"jjj/{event.dav_name}", new_entry(*TIMED))

    assert (answer.status, answer.condition) == (409, ["C:no-uid-conflict"])
    assert unchanged(event, 1)


def test_change_of_a_cancelled_event_is_a_conflict(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    cancel_event(event, reason="合并举办", viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    for old, new in (("STATUS:CANCELLED", "STATUS:CONFIRMED"), ("20280516T09", "20280516T08")):
        answer = put(staff_phone, f"jjj/{event.dav_name}", text.replace(old, new), If_Match=tag)
        assert answer.status == 409
    assert unchanged(event, event.version)


@pytest.mark.parametrize("username", ["liaison", "host", "other", "chair", "observer"])
def test_put_and_delete_by_anyone_but_the_secretariat_are_403(
    cast: Cast, open_phone: OpenPhone, username: str
) -> None:
    event = full_event(cast)
    phone = open_phone(username)
    answers = [
        put(phone, f"jjj/{event.dav_name}", new_entry(*TIMED, uid=event.ical_uid)),
        put(phone, "jjj/new.ics", new_entry(*TIMED)),
        phone.ask("DELETE", f"jjj/{event.dav_name}"),
    ]

    assert [answer.status for answer in answers] == [403, 403, 403]
    assert {tuple(answer.condition) for answer in answers} == {("D:need-privileges",)}
    assert (Event.objects.count(), stored(event).version) == (1, 1)


def test_delete_of_an_event_with_a_time_names_the_way(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    answer = staff_phone.ask("DELETE", f"jjj/{event.dav_name}")

    assert answer.status == 403
    assert f"/events/{event.uid}/" in answer.text
    assert unchanged(event, 1)


def test_delete_of_a_draft_deletes_it(cast: Cast, staff_phone: Phone) -> None:
    draft = make_event(cast.alliance)
    answer = staff_phone.ask("DELETE", f"jjj/{draft.dav_name}")

    assert (answer.status, Event.objects.count()) == (204, 0)
    assert staff_phone.ask("DELETE", f"jjj/{draft.dav_name}").status == 404


def test_delete_of_a_stale_version_is_412(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    _text, tag = fetch(staff_phone, event)
    revise_event(event, title_zh="新名称", viewer=SYSTEM, at=AT)

    assert staff_phone.ask("DELETE", f"jjj/{event.dav_name}", If_Match=tag).status == 412


def owed(cast: Cast) -> tuple[Duty, str]:
    event = full_event(cast)
    duty = set_duty(
        event,
        cast.member,
        kind="name_delegates",
        due_at=datetime(2028, 5, 9, 9, tzinfo=UTC),
        viewer=SYSTEM,
        at=AT + timedelta(hours=1),
    )
    return duty, f"mine/duty-{duty.uid}.ics"


def test_put_of_a_task_ticked_off_fulfils_the_duty(cast: Cast, phone: Phone) -> None:
    duty, path = owed(cast)
    body = phone.ask("GET", path).text
    ticked = body.replace(
        "STATUS:NEEDS-ACTION",
        "STATUS:COMPLETED\r\nCOMPLETED:20280331T153000Z\r\nPERCENT-COMPLETE:100\r\nPRIORITY:5",
    )
    answer = put(phone, path, ticked)

    assert (answer.status, stored(duty).done_at is None) == (204, False)
    assert "STATUS:COMPLETED" in phone.ask("GET", path).text
    again = phone.ask("GET", path).text.replace("STATUS:COMPLETED", "STATUS:NEEDS-ACTION")
    undone = "\r\n".join(
        line
        for line in again.split("\r\n")
        if not line.startswith(("COMPLETED:", "PERCENT-COMPLETE"))
    )
    assert put(phone, path, undone).status == 409


@pytest.mark.parametrize(
    ("old", "new"),
    [("SUMMARY:", "SUMMARY:别的"), ("20280509T17", "20280519T17"), ("NEEDS-ACTION", "IN-PROCESS")],
)
def test_put_of_anything_else_about_a_task_is_refused(
    cast: Cast, phone: Phone, old: str, new: str
) -> None:
    duty, path = owed(cast)
    body = phone.ask("GET", path).text
    answer = put(phone, path, body.replace(old, new))

    assert (answer.status, stored(duty).version) == (403, 1)
    assert put(phone, path, body).status == 204
    assert phone.ask("DELETE", path).status == 403


def test_event_in_ones_own_calendar_is_changed_where_it_belongs(
    cast: Cast, open_phone: OpenPhone
) -> None:
    event = full_event(cast)
    host = open_phone("host")
    path = f"mine/{event.dav_name}"
    body = host.ask("GET", path).text

    for answer in (
        put(host, path, body.replace("SUMMARY:", "SUMMARY:改")),
        put(host, "mine/new.ics", new_entry(*TIMED)),
        host.ask("DELETE", path),
    ):
        assert (answer.status, answer.condition) == (403, ["D:need-privileges"])
    assert unchanged(event, 1)


def test_refusals_are_said_in_the_language_of_the_person(cast: Cast, staff_phone: Phone) -> None:
    body = new_entry(*TIMED, "RRULE:FREQ=WEEKLY")
    staff_phone.user.language = "en"
    staff_phone.user.save()
    answer = put(staff_phone, "jjj/new.ics", body)

    assert answer.root.findtext("{DAV:}responsedescription") == (
        "Repeating events are not taken (RRULE): each one is planned and held on its own. "
        "Enter them one by one."
    )
