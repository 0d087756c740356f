"""What a calendar program put, done by the verbs: in one recording, with reasons, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordination.changes.models import Change
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    Refusal,
    StaleVersion,
    TransitionNotAllowed,
)
from events.calendar_event import Level
from events.calendar_reading import ProposedObject, read_object
from events.calendar_values import calendar_event
from events.models import Duty, Event
from events.owing import set_duty
from events.scheduling import confirm_event
from events.taking import NotTaken, take_duty, take_event, take_new_event
from events.vevent import vevent
from tests.factories import AFTERNOON, AT, MORNING, SYSTEM, Cast, make_event, stored


def as_shown(event: Event, language: str = "zh-hans") -> ProposedObject:
    body = vevent(calendar_event(event), language=language, level=Level.SECRETARIAT)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"
    return read_object(text.encode(), home_zone=event.time_zone)


def take(cast: Cast, event: Event, **edits: Any) -> Any:
    shown = as_shown(event)
    wanted = replace(shown, **edits)
    return take_event(event, shown=shown, wanted=wanted, viewer=cast.secretary, at=AT)


def recorded(event: Event) -> list[tuple[str, str]]:
    rows = Change.objects.filter(object_uid=event.uid).order_by("number")
    return list(rows.values_list("kind", "reason"))


def confirmed(cast: Cast) -> Event:
    event = make_event(cast.alliance, scheduled=True)
    return confirm_event(event, viewer=SYSTEM, at=AT)


def test_take_what_was_shown_does_nothing(cast: Cast) -> None:
    event = confirmed(cast)

    assert not take(cast, event)
    assert stored(event).version == event.version


def test_take_several_changes_calls_several_verbs_in_one_recording(cast: Cast) -> None:
    event = confirmed(cast)
    before = recorded(event)
    take(cast, event, title="新名称", span=AFTERNOON, status="TENTATIVE", comment="主会场检修")
    after = stored(event)

    assert recorded(event)[len(before) :] == [
        ("event.revised", "主会场检修"),
        ("event.postponed", "主会场检修"),
    ]
    assert (after.title_zh, after.state, after.span, after.previous_span, after.reason) == (
        "新名称",
        "postponed",
        AFTERNOON,
        MORNING,
        "主会场检修",
    )


@pytest.mark.parametrize(
    ("language", "reason"), [("zh-hans", "通过日历修改"), ("en", "changed by calendar")]
)
def test_take_without_a_comment_says_that_a_calendar_did_it(
    cast: Cast, language: str, reason: str
) -> None:
    event = confirmed(cast)
    shown = as_shown(event, language)
    viewer = replace(cast.secretary, language=language)
    wanted = replace(shown, status="CANCELLED")
    take_event(event, shown=shown, wanted=wanted, viewer=viewer, at=AT)

    assert recorded(event)[-1] == ("event.cancelled", reason)
    assert stored(event).reason == reason


def test_take_of_which_a_later_part_is_refused_does_nothing(cast: Cast) -> None:
    event = confirmed(cast)
    with pytest.raises(InvalidInput):
        take(cast, event, title="新名称", span=replace(MORNING, ends=MORNING.starts))

    assert (stored(event).title_zh, stored(event).version) == ("项目对接会", event.version)


@pytest.mark.parametrize(
    ("edits", "error"),
    [
        ({"attendees": ("a@example.org",)}, NotTaken),
        ({"has_files": True}, NotTaken),
        ({"is_private": True}, NotTaken),
        ({"status": "NEEDS-ACTION"}, InvalidInput),
        ({"title": ""}, InvalidInput),
        ({"title": None}, InvalidInput),
        ({"title": "【延期】"}, InvalidInput),
        ({"comment": "长" * 501, "title": "改"}, InvalidInput),
    ],
)
def test_take_of_what_a_calendar_cannot_say_is_refused(
    cast: Cast, edits: dict[str, Any], error: type[Refusal]
) -> None:
    event = confirmed(cast)
    with pytest.raises(error):
        take(cast, event, **edits)

    assert stored(event).version == event.version


def test_take_by_anyone_but_the_secretariat_is_refused(cast: Cast) -> None:
    event = confirmed(cast)
    shown = as_shown(event)
    for viewer in (cast.host_liaison, cast.other_secretary, cast.public):
        with pytest.raises(NotAllowed):
            take_event(event, shown=shown, wanted=shown, viewer=viewer, at=AT)


def test_take_of_a_version_that_moved_on_is_stale(cast: Cast) -> None:
    event = confirmed(cast)
    late = Event.objects.select_related("alliance").get(pk=event.pk)
    take(cast, event, title="甲")
    with pytest.raises(StaleVersion):
        take(cast, late, title="乙")

    assert stored(event).title_zh == "甲"


def new_entry(cast: Cast, **edits: Any) -> ProposedObject:
    shown = as_shown(make_event(cast.other, scheduled=True))
    return replace(shown, uid="A-1", status="CONFIRMED", description="正文", **edits)


def test_take_new_event_is_scheduled_under_its_own_uid_and_name(cast: Cast) -> None:
    event = take_new_event(
        cast.alliance, name="a.ics", wanted=new_entry(cast), viewer=cast.secretary, at=AT
    )

    assert (event.ical_uid, event.dav_name, event.state) == ("A-1", "a.ics", "scheduled")
    assert (event.title_zh, event.description_zh, event.title_en) == ("项目对接会", "正文", "")
    assert (event.span, event.audience, event.openness) == (MORNING, "members", "members")
    assert recorded(event) == [("event.drafted", "")]


@pytest.mark.parametrize(
    ("edits", "error"),
    [
        ({"status": "CANCELLED"}, NotTaken),
        ({"title": None}, InvalidInput),
        ({"has_files": True}, NotTaken),
        ({"span": replace(MORNING, ends=MORNING.starts)}, InvalidInput),
    ],
)
def test_take_new_event_that_cannot_be_is_refused(
    cast: Cast, edits: dict[str, Any], error: type[Refusal]
) -> None:
    wanted = replace(new_entry(cast), **edits)
    with pytest.raises(error):
        take_new_event(cast.alliance, name="a.ics", wanted=wanted, viewer=cast.secretary, at=AT)

    assert not Event.objects.filter(alliance=cast.alliance).exists()


def test_take_new_event_by_others_is_refused(cast: Cast) -> None:
    wanted = new_entry(cast)
    with pytest.raises(NotAllowed):
        take_new_event(cast.alliance, name="a.ics", wanted=wanted, viewer=cast.chair, at=AT)


def owed(cast: Cast) -> tuple[Duty, ProposedObject]:
    event = make_event(cast.alliance, scheduled=True)
    duty = set_duty(event, cast.host, kind="answer", due_at=AT, viewer=SYSTEM, at=AT)
    shown = replace(as_shown(event), component="VTODO", status="NEEDS-ACTION", span=None, due_at=AT)
    return duty, shown


def test_take_duty_ticked_off_is_fulfilled_once(cast: Cast) -> None:
    duty, shown = owed(cast)
    done = replace(shown, status="COMPLETED", is_done=True)

    assert take_duty(duty, shown=shown, wanted=done, viewer=cast.host_liaison, at=AT)
    assert stored(duty).done_at == AT
    assert not take_duty(duty, shown=done, wanted=done, viewer=cast.host_liaison, at=AT)
    with pytest.raises(TransitionNotAllowed):
        take_duty(duty, shown=done, wanted=shown, viewer=cast.host_liaison, at=AT)


@pytest.mark.parametrize(
    "edits", [{"title": "别的"}, {"description": None}, {"due_at": None}, {"status": "IN-PROCESS"}]
)
def test_take_duty_with_anything_else_changed_is_refused(cast: Cast, edits: Any) -> None:
    duty, shown = owed(cast)
    with pytest.raises(NotTaken):
        take_duty(
            duty, shown=shown, wanted=replace(shown, **edits), viewer=cast.host_liaison, at=AT
        )
    assert stored(duty).version == 1


def test_take_duty_by_another_member_is_refused(cast: Cast) -> None:
    duty, shown = owed(cast)
    with pytest.raises(NotAllowed):
        take_duty(duty, shown=shown, wanted=shown, viewer=cast.member_liaison, at=AT)
