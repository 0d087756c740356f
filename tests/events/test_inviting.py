from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from coordination.changes.models import Change
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from events.invitation_notices import bring_up_to_date
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.models import Answer, Event, Invitation
from events.scheduling import Host, cancel_event, confirm_event, revise_event, schedule_event
from tests.factories import AFTERNOON, AT, MORNING, SYSTEM, Cast, make_event, stored


def invited(cast: Cast) -> Invitation:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(
        event, [cast.member], viewer=cast.secretary, at=AT, answer_by=date(2028, 5, 1)
    )
    return invitation


def test_invite_organizations_asks_each_once(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    first = invite_organizations(event, [cast.member, cast.member], viewer=SYSTEM, at=AT)
    second = invite_organizations(event, [cast.member, cast.outside], viewer=SYSTEM, at=AT)
    assert [row.organization for row in first] == [cast.member]
    assert [row.organization for row in second] == [cast.outside]
    assert Invitation.objects.unanswered().count() == 2


def test_invite_organizations_again_after_withdrawing_asks_anew(cast: Cast) -> None:
    invitation = invited(cast)
    answer_invitation(invitation, state="declined", viewer=cast.member_liaison, at=AT)
    withdraw_invitation(invitation, viewer=cast.secretary, at=AT)
    [again] = invite_organizations(
        invitation.event, [cast.member], viewer=SYSTEM, at=AT, answer_by=date(2028, 5, 8)
    )
    row = stored(invitation)
    assert (again.uid, row.state, row.withdrawn_at) == (row.uid, "needs_action", None)
    assert row.answer_by == date(2028, 5, 8)


def test_invite_organizations_to_an_event_without_a_time_or_over_is_refused(cast: Cast) -> None:
    planned = make_event(cast.alliance)
    cancelled = make_event(cast.alliance, scheduled=True)
    cancel_event(cancelled, reason="预算", viewer=SYSTEM, at=AT)
    for event in (planned, cancelled):
        with pytest.raises(TransitionNotAllowed):
            invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    assert Invitation.objects.count() == 0


def test_invite_organizations_to_answer_by_a_day_that_is_over_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    late = datetime(2028, 5, 8, 16, 30, tzinfo=UTC)  # in Beijing it is the 9th
    with pytest.raises(InvalidInput) as caught:
        invite_organizations(
            event, [cast.member], answer_by=date(2028, 5, 8), viewer=SYSTEM, at=late
        )
    assert [(one.field, one.code) for one in caught.value.errors] == [("answer_by", "over")]
    assert Invitation.objects.count() == 0
    invite_organizations(event, [cast.member], answer_by=date(2028, 5, 9), viewer=SYSTEM, at=late)
    assert Invitation.objects.get().answer_by == date(2028, 5, 9)


def test_invite_organizations_by_somebody_else_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    with pytest.raises(NotAllowed):
        invite_organizations(event, [cast.member], viewer=cast.member_liaison, at=AT)
    assert Invitation.objects.count() == 0


def test_withdraw_invitation_twice_or_by_the_organization_is_refused(cast: Cast) -> None:
    invitation = invited(cast)
    with pytest.raises(NotAllowed):
        withdraw_invitation(invitation, viewer=cast.member_liaison, at=AT)
    withdraw_invitation(invitation, viewer=cast.secretary, at=AT, reason="误发")
    with pytest.raises(TransitionNotAllowed):
        withdraw_invitation(invitation, viewer=cast.secretary, at=AT)
    assert Invitation.objects.unanswered().count() == 0


def test_answer_invitation_keeps_every_answer_and_the_last_counts(cast: Cast) -> None:
    invitation = invited(cast)
    answer_invitation(
        invitation,
        state="accepted",
        viewer=cast.member_liaison,
        at=AT,
        delegates=3,
        comment="两辆车",
    )
    answer_invitation(invitation, state="declined", viewer=cast.secretary, at=AT)
    assert stored(invitation).state == "declined"
    answers = Answer.objects.order_by("pk")
    assert [(row.state, row.delegates, row.comment, str(row.person)) for row in answers] == [
        ("accepted", 3, "两辆车", "liaison"),
        ("declined", None, "", "secretary"),
    ]


def test_answer_invitation_the_same_way_again_is_still_news(cast: Cast) -> None:
    invitation = invited(cast)
    answer_invitation(invitation, state="accepted", viewer=cast.member_liaison, at=AT, delegates=3)
    answer_invitation(invitation, state="accepted", viewer=cast.member_liaison, at=AT, delegates=5)
    assert stored(invitation).version == 3
    kinds = Change.objects.filter(object_uid=invitation.uid).order_by("number")
    assert list(kinds.values_list("kind", flat=True)) == [
        "invitation.sent",
        "invitation.answered",
        "invitation.answered",
    ]


def test_answer_invitation_with_no_answer_is_refused(cast: Cast) -> None:
    invitation = invited(cast)
    for state in ("needs_action", "maybe", ""):
        with pytest.raises(InvalidInput):
            answer_invitation(invitation, state=state, viewer=SYSTEM, at=AT)
    assert Answer.objects.count() == 0


def test_answer_invitation_by_another_organization_is_refused(cast: Cast) -> None:
    invitation = invited(cast)
    for name in ("host_liaison", "outside_liaison", "chair", "public"):
        with pytest.raises(NotAllowed):
            answer_invitation(invitation, state="accepted", viewer=cast.viewers()[name], at=AT)
    assert Answer.objects.count() == 0


def test_answer_invitation_that_was_withdrawn_or_is_over_is_refused(cast: Cast) -> None:
    invitation = invited(cast)
    cancel_event(invitation.event, reason="预算", viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed):
        answer_invitation(invitation, state="accepted", viewer=cast.member_liaison, at=AT)
    withdraw_invitation(invitation, viewer=cast.secretary, at=AT)
    with pytest.raises(TransitionNotAllowed):
        answer_invitation(invitation, state="accepted", viewer=cast.member_liaison, at=AT)
    assert Answer.objects.count() == 0


def test_answer_invitation_to_another_time_than_it_has_by_now_is_refused(cast: Cast) -> None:
    invitation = invited(cast)
    bring_up_to_date(invitation, at=AT)
    seen = stored(invitation.event).sequence
    moved = schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=AT)

    with pytest.raises(TransitionNotAllowed) as refused:
        answer_invitation(stored(invitation), state="accepted", viewer=SYSTEM, at=AT, sequence=seen)
    assert (refused.value.code, Answer.objects.count()) == ("event_moved", 0)

    schedule_event(moved, MORNING, viewer=SYSTEM, at=AT)  # and back to what they have seen
    confirm_event(stored(moved), viewer=SYSTEM, at=AT)
    answer_invitation(stored(invitation), state="accepted", viewer=SYSTEM, at=AT, sequence=seen)
    assert Answer.objects.get().sequence == seen + 3


def names_of(event: Event) -> list[str]:
    return [row.organization.name_zh for row in event.named.order_by("pk")]


def test_invite_organizations_names_those_who_could_not_see_the_event(cast: Cast) -> None:
    hosts, named = [Host(cast.host)], [cast.member]
    event = make_event(
        cast.alliance, scheduled=True, audience="organizations", hosts=hosts, named=named
    )
    assert not Event.objects.visible_to(cast.outside_liaison).filter(pk=event.pk).exists()
    asked = invite_organizations(
        event, [cast.host, cast.member, cast.outside], viewer=cast.secretary, at=AT
    )
    assert [row.names_organization for row in asked] == [False, False, True]
    assert names_of(event) == ["石家庄高新区", "长春高新区"]
    assert Event.objects.visible_to(cast.outside_liaison).get(pk=event.pk) == event
    kinds = Change.objects.order_by("-number").values_list("kind", flat=True)[:4]
    assert list(kinds) == ["invitation.sent"] * 3 + ["event.named"]


def test_withdraw_invitation_takes_back_the_name_that_inviting_gave(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members", named=[cast.member])
    given, brought = invite_organizations(
        event, [cast.member, cast.outside], viewer=cast.secretary, at=AT
    )
    for invitation in (given, brought):
        withdraw_invitation(stored(invitation), viewer=cast.secretary, at=AT)
    assert names_of(event) == ["石家庄高新区"]
    assert not Event.objects.visible_to(cast.outside_liaison).filter(pk=event.pk).exists()
    [again] = invite_organizations(stored(event), [cast.outside], viewer=cast.secretary, at=AT)
    assert (again.pk, again.names_organization) == (brought.pk, True)
    assert names_of(event) == ["石家庄高新区", "长春高新区"]


def test_invite_organizations_to_an_event_revised_meanwhile_keeps_both(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="members")
    revise_event(stored(event), viewer=SYSTEM, at=AT, named=[cast.host], title_zh="新名称")
    [invitation] = invite_organizations(event, [cast.outside], viewer=cast.secretary, at=AT)
    assert (names_of(event), stored(event).title_zh) == (
        ["天津滨海高新区", "长春高新区"],
        "新名称",
    )
    revise_event(stored(event), viewer=SYSTEM, at=AT, title_zh="再改")
    withdraw_invitation(invitation, viewer=cast.secretary, at=AT)
    assert (names_of(event), stored(event).title_zh) == (["天津滨海高新区"], "再改")
