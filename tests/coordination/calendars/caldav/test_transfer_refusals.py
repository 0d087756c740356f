"""PUT and DELETE that are refused: the precondition, one clear sentence, nothing changed."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from events.models import Event
from events.scheduling import cancel_event, revise_event
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.coordination.calendars.caldav.entries import (
    TIMED,
    UID,
    fetch,
    full_event,
    is_at,
    new_entry,
    put,
)
from tests.events.test_calendar_reading import HOSTILE
from tests.factories import AT, SYSTEM, Cast, make_event, stored

pytestmark = pytest.mark.django_db


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


def test_beginning_that_the_clocks_skip_is_refused_with_what_it_is_read_as(
    cast: Cast, staff_phone: Phone
) -> None:
    lines = (
        "DTSTART;TZID=Europe/Madrid:20280326T023000",
        "DTEND;TZID=Europe/Madrid:20280326T031500",
        "SUMMARY:x",
    )
    answer = put(staff_phone, "jjj/new.ics", new_entry(*lines), Accept_Language="en")
    sentence = answer.root.findtext("{DAV:}responsedescription") or ""

    assert (answer.status, answer.condition) == (403, ["C:valid-calendar-object-resource"])
    assert all(word in sentence for word in ("2028-03-26", "Europe/Madrid", "02:30", "03:30"))
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
    ],
)
def test_format_that_is_not_taken_is_415(
    cast: Cast, staff_phone: Phone, headers: dict[str, str], status: int, condition: str
) -> None:
    answer = put(staff_phone, "jjj/new.ics", new_entry(*TIMED), **headers)

    assert (answer.status, answer.condition) == (status, [condition])


def test_part_of_an_object_is_not_taken_for_the_whole(cast: Cast, staff_phone: Phone) -> None:
    staff_phone.user.language = "en"
    staff_phone.user.save()
    event = full_event(cast)
    text, _tag = fetch(staff_phone, event)
    part = {"Content_Range": "bytes 0-9/2000", "If_Match": '"stale"'}
    edited = text.replace("SUMMARY:", "SUMMARY:改")
    answers = [
        put(staff_phone, f"jjj/{event.dav_name}", edited, **part),
        put(staff_phone, "jjj/new.ics", new_entry(*TIMED), **part),
    ]

    assert [(answer.status, answer.condition) for answer in answers] == [(400, [])] * 2
    assert {answer.root.findtext("{DAV:}responsedescription") for answer in answers} == {
        "Send the whole calendar object at once, not a part of it."
    }
    assert is_at(event, 1)
    assert Event.objects.count() == 1


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
    assert is_at(event, 1)


@pytest.mark.parametrize(
    "name",
    ["%FF.ics", "%E6%B4%BB%E5.ics", "a%C0%AF.ics", "%25FF.ics", "%2E%2E", "a" * 252 + ".ics"],
)
def test_put_to_a_name_that_no_listing_can_say_is_refused(
    cast: Cast, staff_phone: Phone, name: str
) -> None:
    answer = put(staff_phone, f"jjj/{name}", new_entry(*TIMED))

    assert (answer.status, answer.condition) == (403, ["D:name-allowed"])
    assert Event.objects.count() == 0


@pytest.mark.parametrize("name", ["活动 1%.ics", "100%25.ics"])
def test_put_to_an_odd_name_is_listed_under_it(cast: Cast, staff_phone: Phone, name: str) -> None:
    path = f"jjj/{quote(name)}"

    assert put(staff_phone, path, new_entry(*TIMED)).status == 201
    listed = staff_phone.propfind("jjj/", "D:getetag", depth="1").entries
    assert staff_phone.home + path in listed
    assert staff_phone.ask("GET", path).status == 200


def test_change_of_a_cancelled_event_is_a_conflict(cast: Cast, staff_phone: Phone) -> None:
    event = full_event(cast)
    cancel_event(event, reason="合并举办", viewer=SYSTEM, at=AT)
    text, tag = fetch(staff_phone, event)
    for old, new in (("STATUS:CANCELLED", "STATUS:CONFIRMED"), ("20280516T09", "20280516T08")):
        answer = put(staff_phone, f"jjj/{event.dav_name}", text.replace(old, new), If_Match=tag)
        assert answer.status == 409
    assert is_at(event, event.version)


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
    assert is_at(event, 1)


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


def test_refusals_are_said_in_the_language_of_the_person(cast: Cast, staff_phone: Phone) -> None:
    body = new_entry(*TIMED, "RRULE:FREQ=WEEKLY")
    staff_phone.user.language = "en"
    staff_phone.user.save()
    answer = put(staff_phone, "jjj/new.ics", body)

    assert answer.root.findtext("{DAV:}responsedescription") == (
        "Repeating events are not taken (RRULE): each one is planned and held on its own. "
        "Enter them one by one."
    )


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_body_is_answered_without_a_failure(
    cast: Cast, staff_phone: Phone, name: str
) -> None:
    status = put(staff_phone, "jjj/new.ics", HOSTILE[name]).status

    assert status in (403, 413)
    assert Event.objects.count() == 0


def test_put_of_a_co_hosted_event_is_its_owners(cast: Cast, staff_phone: Phone) -> None:
    event = make_event(cast.other, scheduled=True, co_hosts=[cast.alliance])
    text, tag = fetch(staff_phone, event)
    edited = text.replace("SUMMARY:", "SUMMARY:改")
    answer = put(staff_phone, f"jjj/{event.dav_name}", edited, If_Match=tag)

    assert (answer.status, answer.condition) == (403, ["D:need-privileges"])
    assert is_at(event, event.version)


def test_value_that_does_not_fit_is_named(cast: Cast, staff_phone: Phone) -> None:
    staff_phone.user.language = "en"
    staff_phone.user.save()
    answer = put(staff_phone, "jjj/new.ics", new_entry(*TIMED[:2], "SUMMARY:" + "a" * 201))

    assert answer.root.findtext("{DAV:}responsedescription") == (
        "title in English: Ensure this value has at most 200 characters (it has 201)."
    )


def test_draft_is_deleted_in_its_own_calendar_only(cast: Cast, open_phone: OpenPhone) -> None:
    draft = make_event(cast.other)
    admin = open_phone("admin")

    assert admin.ask("DELETE", f"jjj/{draft.dav_name}").status == 404
    assert admin.ask("DELETE", f"dongbei/{draft.dav_name}").status == 204
