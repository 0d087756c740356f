"""What a person's organizations owe, as tasks in their own calendar and nowhere else."""

import icalendar
import pytest

from coordination.accounts.viewer import SYSTEM
from coordination.changes.recording import recording
from events.owing import fulfil_duty, set_duty
from events.scheduling import discard_event, revise_event
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.factories import AT, Cast, make_event, stored


def test_task_stands_in_the_calendar_of_those_who_owe_it(open_phone: OpenPhone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    name = f"duty-{duty.uid}.ics"

    def seen(username: str, path: str) -> bool:
        return name in open_phone(username).propfind(path, "D:getetag", depth="1").names

    assert seen("liaison", "mine/")
    assert not seen("liaison", "jjj/")
    assert not seen("host", "mine/")
    assert not seen("secretary", "mine/")
    assert open_phone("host").ask("GET", f"mine/{name}").status == 404
    assert open_phone("liaison").ask("GET", f"jjj/{name}").status == 404


def test_task_says_what_is_due_and_when_it_was_done(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    path = f"mine/duty-{duty.uid}.ics"
    first = phone.ask("GET", path)
    fulfil_duty(duty, viewer=SYSTEM, at=NOW)
    done = phone.ask("GET", path)

    (task,) = icalendar.Calendar.from_ical(first.text).walk("VTODO")
    assert str(task["STATUS"]) == "NEEDS-ACTION"
    assert task["DUE"].dt == NOW
    assert str(task["RELATED-TO"]) == event.ical_uid
    (task,) = icalendar.Calendar.from_ical(done.text).walk("VTODO")
    assert str(task["STATUS"]) == "COMPLETED"
    assert first.response["ETag"] != done.response["ETag"]
    assert done.response["Content-Type"].endswith("component=VTODO")


def test_tag_of_a_task_changes_with_its_event_s_words(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    path = f"mine/duty-{duty.uid}.ics"
    before = phone.ask("GET", path).response["ETag"]
    revise_event(event, title_zh="新名称", viewer=SYSTEM, at=NOW)

    assert phone.ask("GET", path).response["ETag"] != before


def test_task_of_a_hidden_event_is_not_there(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    path = f"mine/duty-{duty.uid}.ics"
    before = phone.ask("GET", path).status
    revise_event(event, audience="secretariat", viewer=SYSTEM, at=NOW)

    assert (before, phone.ask("GET", path).status) == (200, 404)


@pytest.mark.parametrize("end", ["retired", "dropped", "deleted"])
def test_task_that_was_always_hidden_leaves_no_trace_when_it_ends(
    end: str, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="secretariat")
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    token = phone.sync("mine/").token
    with recording(SYSTEM.actor, at=NOW) as log:
        if end == "retired":
            event.retired = True
            log.save(event, "event.retired")
        elif end == "dropped":
            duty.dropped_at = NOW
            log.save(duty, "duty.dropped")
        else:
            log.delete(duty, "duty.passed_on")
    make_event(cast.alliance, scheduled=True)  # moves the log for everybody

    assert phone.sync("mine/", token).names == []


def test_task_that_is_deleted_leaves_the_calendar_of_who_owed_it(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.member, kind="send_agenda", due_at=NOW, viewer=SYSTEM, at=AT)
    token = phone.sync("mine/").token
    with recording(SYSTEM.actor, at=NOW) as log:
        log.delete(duty, "duty.passed_on")

    entries = phone.sync("mine/", token).entries
    assert {href.rpartition("/")[2]: entry.status for href, entry in entries.items()} == {
        f"duty-{duty.uid}.ics": 404
    }


def test_own_calendar_offers_tasks_and_an_alliance_s_does_not(phone: Phone) -> None:
    def components(path: str) -> list[str | None]:
        entry = phone.propfind(path, "C:supported-calendar-component-set").only
        holder = entry.properties["C:supported-calendar-component-set"]
        return [one.get("name") for one in holder]

    assert components("mine/") == ["VEVENT", "VTODO"]
    assert components("jjj/") == ["VEVENT"]


def test_task_of_a_draft_that_was_deleted_is_taken_away_from_those_who_had_it(
    open_phone: OpenPhone, cast: Cast
) -> None:
    shown, hidden = (
        make_event(cast.alliance, audience=audience) for audience in ("members", "secretariat")
    )
    phone, due = open_phone("liaison"), {"kind": "send_agenda", "due_at": NOW}
    duty, _never_seen = (
        set_duty(event, cast.member, **due, viewer=SYSTEM, at=AT) for event in (shown, hidden)
    )
    token = phone.sync("mine/").token
    for event in (hidden, shown):
        discard_event(stored(event), viewer=SYSTEM, at=NOW)

    answer = phone.sync("mine/", token)

    assert answer.names == [f"duty-{duty.uid}.ics"]
    assert answer.only.status == 404
    assert phone.sync("mine/", answer.token).entries == {}
