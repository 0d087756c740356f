"""PUT: what a program changed or made becomes verbs, all of them or none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils.http import http_date, parse_http_date

from coordination.changes.models import Change
from events.models import Event
from events.scheduling import cancel_event, confirm_event, postpone_event
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.coordination.calendars.caldav.entries import (
    TIMED,
    UID,
    fetch,
    full_event,
    is_at,
    kinds_of,
    new_entry,
    put,
)
from tests.factories import AFTERNOON, AT, MORNING, SYSTEM, Cast, span, stored

pytestmark = pytest.mark.django_db


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
    assert is_at(event, event.version)


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
    assert is_at(event, 1)
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
    assert is_at(event, 1)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_condition_by_date_counts_where_no_tag_is_sent(
    cast: Cast, staff_phone: Phone, method: str
) -> None:
    event = full_event(cast)
    text, tag = fetch(staff_phone, event)
    path, kind = f"jjj/{event.dav_name}", "text/calendar"
    read = staff_phone.ask("GET", path).response["Last-Modified"]
    early = http_date(parse_http_date(read) - 1)

    def ask(**headers: str) -> int:
        return staff_phone.ask(method, path, text, Content_Type=kind, **headers).status

    done = 204 if method == "PUT" else 403  # what has a time is not deleted but cancelled
    assert ask(If_Unmodified_Since=early) == 412
    for date in (read, "yesterday"):
        assert ask(If_Unmodified_Since=date) == done
    assert ask(If_Unmodified_Since=early, If_Match=tag) == done
    assert is_at(event, 1)


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
    assert is_at(event, 1)


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


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_one_wins_and_the_others_are_412(
    cast: Cast, open_phone: OpenPhone
) -> None:
    event = full_event(cast)
    phones = [open_phone(username) for username in ("secretary", "admin", "secretary")]
    entries = [fetch(phone, event) for phone in phones]
    together = Barrier(len(phones), timeout=20)

    def write(number: int) -> int:
        text, tag = entries[number]
        edited = text.replace("SUMMARY:", f"SUMMARY:{number}")
        together.wait()
        try:
            return put(phones[number], f"jjj/{event.dav_name}", edited, If_Match=tag).status
        finally:
            connection.close()

    with ThreadPoolExecutor(len(phones)) as pool:
        statuses = list(pool.map(write, range(len(phones))))

    assert sorted(statuses) == [204, 412, 412]
    assert stored(event).title_zh == f"{statuses.index(204)}项目对接会"
    assert kinds_of(event) == ["event.drafted", "event.revised"]


@pytest.mark.parametrize("uid", [UID, "another-uid"])
@pytest.mark.parametrize("look", [1, 2])
def test_new_event_whose_address_is_taken_after_a_look_at_it_is_412(
    cast: Cast, open_phone: OpenPhone, look: int, uid: str
) -> None:
    first, second = open_phone("secretary"), open_phone("admin")
    statuses: list[int] = []
    seen = 0

    def write_between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        found = execute(sql, params, many, context)
        if "new.ics" in (params or ()):
            seen += 1
            if seen == look:
                answer = put(second, "jjj/new.ics", new_entry(*TIMED, uid=uid), If_None_Match="*")
                statuses.append(answer.status)
        return found

    with connection.execute_wrapper(write_between):
        answer = put(first, "jjj/new.ics", new_entry(*TIMED), If_None_Match="*")

    assert (statuses, answer.status) == ([201], 412)
    assert answer.condition == []
    assert [event.ical_uid for event in Event.objects.all()] == [uid]


@pytest.mark.django_db(transaction=True)
def test_new_events_with_one_uid_at_the_same_moment_make_one(
    cast: Cast, open_phone: OpenPhone
) -> None:
    phones = [open_phone(username) for username in ("secretary", "admin")]
    together = Barrier(len(phones), timeout=20)

    def write(number: int) -> int:
        together.wait()
        try:
            return put(phones[number], f"jjj/{number}.ics", new_entry(*TIMED)).status
        finally:
            connection.close()

    with ThreadPoolExecutor(len(phones)) as pool:
        statuses = list(pool.map(write, range(len(phones))))

    assert sorted(statuses) == [201, 409]
    assert Event.objects.count() == 1
