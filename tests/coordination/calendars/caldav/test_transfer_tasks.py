"""Tasks in one's own calendar: ticking off is all that can be done to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.models import Duty
from events.owing import set_duty
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.coordination.calendars.caldav.entries import (
    TIMED,
    full_event,
    is_at,
    new_entry,
    put,
)
from tests.factories import AT, SYSTEM, Cast, stored

pytestmark = pytest.mark.django_db


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
    [
        ("SUMMARY:", "SUMMARY:别的"),
        ("20280509T17", "20280519T17"),
        ("NEEDS-ACTION", "IN-PROCESS"),
        ("NEEDS-ACTION", "CANCELLED"),
    ],
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


def test_put_of_an_event_in_place_of_a_task_is_told_what_can_be_done_to_it(
    cast: Cast, phone: Phone
) -> None:
    duty, path = owed(cast)
    answer = put(phone, path, new_entry(*TIMED), Accept_Language="en")

    assert (answer.status, answer.condition) == (403, ["C:valid-calendar-object-resource"])
    assert "A task can only be ticked off here." in answer.text
    assert stored(duty).version == 1


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
    assert is_at(event, 1)


def test_program_is_told_that_tasks_may_be_ticked_off_by_liaison_officers_alone(
    cast: Cast, open_phone: OpenPhone
) -> None:
    name = "D:current-user-privilege-set"

    def may_write(phone: Phone, where: str) -> bool:
        return "D:write-content" in phone.propfind(where, name).only.inner(name)

    liaison, secretary = open_phone("liaison"), open_phone("secretary")
    assert [may_write(liaison, where) for where in ("mine/", "jjj/")] == [True, False]
    assert [may_write(secretary, where) for where in ("mine/", "jjj/")] == [False, True]


def test_app_password_that_may_only_read_ticks_nothing_off(
    cast: Cast, open_phone: OpenPhone
) -> None:
    duty, path = owed(cast)
    phone = open_phone("liaison", scopes=("events:read",))
    body = phone.ask("GET", path).text
    answer = put(phone, path, body.replace("NEEDS-ACTION", "COMPLETED"))

    assert (answer.status, answer.condition) == (403, ["D:need-privileges"])
    assert stored(duty).done_at is None
