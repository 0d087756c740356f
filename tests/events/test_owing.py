from __future__ import annotations

from datetime import timedelta

import pytest

from coordination.changes.models import Change
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from events.inviting import answer_invitation, invite_organizations
from events.models import Duty
from events.owing import fulfil_duty, move_duty, reopen_duty, set_duty
from tests.factories import AT, SYSTEM, Cast, make_event, stored

DUE = AT + timedelta(days=30)


def owed(cast: Cast) -> Duty:
    event = make_event(cast.alliance)
    return set_duty(event, cast.host, kind="send_agenda", due_at=DUE, viewer=cast.secretary, at=AT)


def test_set_duty_is_owed_until_it_is_fulfilled(cast: Cast) -> None:
    duty = owed(cast)
    assert list(Duty.objects.owed()) == [duty]
    fulfil_duty(duty, viewer=cast.host_liaison, at=AT)
    assert (stored(duty).done_at, Duty.objects.owed().count()) == (AT, 0)
    kinds = Change.objects.filter(object_uid=duty.uid).order_by("number")
    assert list(kinds.values_list("kind", flat=True)) == ["duty.set", "duty.fulfilled"]


def test_set_duty_twice_or_of_an_unknown_kind_is_refused(cast: Cast) -> None:
    duty = owed(cast)
    for kind, code in ("send_agenda", "duty_is_owed_once"), ("dance", "invalid_choice"):
        with pytest.raises(InvalidInput) as caught:
            set_duty(duty.event, cast.host, kind=kind, due_at=DUE, viewer=SYSTEM, at=AT)
        assert [error.code for error in caught.value.errors] == [code]
    assert Duty.objects.count() == 1


def test_move_duty_sets_another_date(cast: Cast) -> None:
    duty = move_duty(owed(cast), due_at=DUE + timedelta(days=7), viewer=cast.secretary, at=AT)
    assert stored(duty).due_at == DUE + timedelta(days=7)


def test_duty_by_a_time_that_is_over_is_refused(cast: Cast) -> None:
    duty = owed(cast)
    late = DUE + timedelta(seconds=1)
    with pytest.raises(InvalidInput) as caught:
        set_duty(
            duty.event, cast.host, kind="send_minutes", due_at=DUE, viewer=cast.secretary, at=late
        )
    assert [(error.field, error.code) for error in caught.value.errors] == [("due_at", "over")]
    with pytest.raises(InvalidInput):
        move_duty(duty, due_at=AT, viewer=cast.secretary, at=late)
    assert (stored(duty).due_at, Duty.objects.count()) == (DUE, 1)
    move_duty(duty, due_at=DUE, viewer=cast.secretary, at=late)  # it stays where it was
    assert stored(duty).due_at == DUE


def test_duty_verbs_by_others_are_refused(cast: Cast) -> None:
    duty = owed(cast)
    with pytest.raises(NotAllowed):
        set_duty(
            duty.event, cast.member, kind="send_agenda", due_at=DUE,
            viewer=cast.host_liaison, at=AT,
        )  # fmt: skip
    with pytest.raises(NotAllowed):
        move_duty(duty, due_at=DUE + timedelta(days=7), viewer=cast.host_liaison, at=AT)
    with pytest.raises(NotAllowed):
        fulfil_duty(duty, viewer=cast.member_liaison, at=AT)
    assert (stored(duty).due_at, stored(duty).done_at, Duty.objects.count()) == (DUE, None, 1)


def test_reopen_duty_lets_it_be_owed_again_by_its_date(cast: Cast) -> None:
    duty = fulfil_duty(owed(cast), viewer=cast.host_liaison, at=AT)
    with pytest.raises(NotAllowed):
        reopen_duty(stored(duty), viewer=cast.member_liaison, at=AT)

    reopen_duty(duty, viewer=cast.host_liaison, at=AT)

    assert (stored(duty).done_at, stored(duty).due_at) == (None, DUE)
    kinds = Change.objects.filter(object_uid=duty.uid).order_by("number")
    assert list(kinds.values_list("kind", flat=True)) == [
        *("duty.set", "duty.fulfilled", "duty.reopened"),
    ]
    with pytest.raises(TransitionNotAllowed):
        reopen_duty(stored(duty), viewer=cast.host_liaison, at=AT)


def test_reopen_duty_of_what_has_happened_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.host], viewer=SYSTEM, at=AT)
    kinds = ("name_date", "answer", "name_delegates", "send_agenda")
    duties = [
        set_duty(event, cast.host, kind=kind, due_at=DUE, viewer=SYSTEM, at=AT) for kind in kinds
    ]
    answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=AT)
    for duty in duties:
        fulfil_duty(duty, viewer=SYSTEM, at=AT)

    refused = set()
    for duty in duties:
        try:
            reopen_duty(duty, viewer=SYSTEM, at=AT)
        except TransitionNotAllowed:
            refused.add(duty.kind)

    assert refused == {"name_date", "answer"}  # who comes was not said yet
    assert {duty.kind for duty in Duty.objects.owed()} == {"name_delegates", "send_agenda"}


def test_duty_that_is_done_stays_done(cast: Cast) -> None:
    duty = fulfil_duty(owed(cast), viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed):
        fulfil_duty(duty, viewer=SYSTEM, at=DUE)
    with pytest.raises(TransitionNotAllowed):
        move_duty(duty, due_at=DUE + timedelta(days=1), viewer=SYSTEM, at=AT)
    assert (stored(duty).done_at, stored(duty).due_at) == (AT, DUE)
