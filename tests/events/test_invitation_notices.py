"""People of invited organizations are told once what they must know, and nobody else is."""

from __future__ import annotations

from datetime import timedelta
from threading import Event as Stop

import pytest
from django.core import mail

from alliances.joining import merge_organizations
from alliances.models import Person
from alliances.seating import end_seat, seat_person
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.loop import tick
from coordination.deliveries.models import Attempt, Cursor, Delivery, Message
from events.invitation_notices import InvitationNews, requests_got
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.models import Invitation, InvitationNotice, Invitee
from events.scheduling import (
    cancel_event,
    confirm_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from tests.coordination.deliveries.stage import cause
from tests.events.asked import LATER, LONG_AGO, go_round, invited, subjects
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    Cast,
    make_event,
    make_member,
    make_organization,
    make_person,
    stored,
)
from tests.steps import counted, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _from_the_beginning(db: None) -> None:
    Cursor.objects.create(subscriber=InvitationNews.name, number=0)


def notices(invitation: Invitation) -> list[tuple[int, str, int]]:
    return list(invitation.notices.values_list("number", "method", "sequence"))


def test_invite_organizations_asks_those_who_answer_for_them_and_nobody_twice(cast: Cast) -> None:
    make_person("deputy", role="deputy", organization=cast.member)
    make_person("minister", role="representative", organization=cast.member)
    invitation = invited(cast)

    go_round()
    first = sorted(subjects())
    go_round()

    assert first == [
        "deputy: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)",
        "liaison: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)",
    ]
    assert subjects() == []
    assert notices(invitation) == [(1, "request", 1)]
    assert Invitee.objects.count() == 2


def test_tell_the_same_changes_again_sends_nothing(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    asked = AT + timedelta(milliseconds=500)
    [invitation] = invite_organizations(event, [cast.member], viewer=cast.secretary, at=asked)
    go_round()

    Cursor.objects.update(number=0)
    go_round()

    assert subjects() == []
    assert notices(invitation) == [(1, "request", 1)]


def test_schedule_event_anew_brings_up_to_date_those_who_were_asked(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()

    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    go_round()

    assert subjects() == [
        "liaison: Updated invitation: Matchmaking, 23 May 2028, 14:00–17:30 (Beijing time, UTC+8)"
    ]
    assert notices(invitation) == [(1, "request", 1), (2, "request", 2)]


def test_several_changes_before_anybody_was_told_are_one_message_of_the_last(cast: Cast) -> None:
    invitation = invited(cast)
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=AT)
    confirm_event(stored(invitation.event), viewer=SYSTEM, at=AT)

    go_round()

    assert subjects() == [
        "liaison: Invitation: Matchmaking, 23 May 2028, 14:00–17:30 (Beijing time, UTC+8)"
    ]
    assert notices(invitation) == [(1, "request", 3)]


def test_a_newer_notice_supersedes_one_that_was_not_sent(cast: Cast) -> None:
    invitation = invited(cast)
    tick(AT, stop=Stop())
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=AT)

    go_round()

    assert subjects() == [
        "liaison: Invitation: Matchmaking, 23 May 2028, 14:00–17:30 (Beijing time, UTC+8)"
    ]
    assert list(Message.objects.order_by("pk").values_list("state", "reason")) == [
        ("superseded", "newer_notice"),
        ("sent", ""),
    ]


def test_revise_event_in_words_alone_tells_nobody(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()

    revise_event(stored(invitation.event), viewer=SYSTEM, at=LATER, description_zh="更多说明")
    go_round()

    assert subjects() == []
    assert notices(invitation) == [(1, "request", 1)]


def test_cancel_event_tells_those_who_were_asked_and_no_late_comer(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=LATER)
    make_person("late", role="liaison", organization=cast.member)

    go_round()

    assert subjects() == ["liaison: Cancelled: Matchmaking"]
    assert notices(invitation) == [(1, "request", 1), (2, "cancel", 2)]


def test_cancel_event_before_anybody_was_asked_tells_nobody(cast: Cast) -> None:
    invitation = invited(cast)
    tick(AT, stop=Stop())
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=AT)

    go_round()

    assert subjects() == []
    assert set(Message.objects.values_list("state", flat=True)) == {"superseded"}


def test_cancel_event_while_the_request_is_being_sent_waits_and_follows_it(cast: Cast) -> None:
    invitation = invited(cast)
    tick(AT, stop=Stop())
    Message.objects.update(lease="worker", attempts=1, next_attempt_at=LATER)
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=AT)
    go_round(AT + timedelta(minutes=1))
    waiting = subjects()

    Message.objects.filter(lease="worker").update(state="sent", sent_at=LATER, lease="")
    go_round()

    assert waiting == []
    assert subjects() == ["liaison: Cancelled: Matchmaking"]


def test_withdraw_invitation_and_ask_anew_sends_cancel_then_request_and_new_links(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    go_round()
    old = Invitee.objects.get().uid
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)
    go_round()
    withdrawn = subjects()

    event = stored(invitation.event)
    invite_organizations(event, [cast.member], viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=1))

    assert withdrawn == ["liaison: Invitation withdrawn: Matchmaking"]
    assert subjects() == [
        "liaison: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    ]
    assert notices(invitation) == [(1, "request", 1), (2, "cancel", 1), (3, "request", 1)]
    assert Invitee.objects.get().uid != old
    stamps = list(invitation.notices.values_list("stamp_at", flat=True))
    assert stamps == sorted(set(stamps))


def test_withdraw_one_of_two_invitations_of_a_person_leaves_the_event_in_their_calendar(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    other = make_organization("石家庄市")
    make_member(cast.alliance, other)
    liaison = Person.objects.get(user__username="liaison")
    seat_person(
        liaison, role="liaison", organization=other, starts_on=LONG_AGO, viewer=SYSTEM, at=AT
    )
    [second] = invite_organizations(stored(invitation.event), [other], viewer=cast.secretary, at=AT)
    go_round()

    withdraw_invitation(stored(second), viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=1))
    [told] = mail.outbox
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=2))

    assert told.subject == "Invitation withdrawn: Matchmaking"
    assert "stays in your calendar" in told.body
    assert (len(told.alternatives), told.attachments) == (1, [])
    assert "METHOD:CANCEL" in _calendar_part()
    assert "taken out of your calendar" in mail.outbox[0].body


def test_merge_organizations_that_are_both_asked_takes_the_event_out_of_no_calendar(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    double = make_organization("石家庄高新技术区")
    make_member(cast.alliance, double)
    make_person("double", role="liaison", organization=double)
    event = stored(invitation.event)
    invite_organizations(event, [double], viewer=cast.secretary, at=AT)
    go_round()

    merge_organizations(
        stored(cast.member), stored(double), viewer=cast.superuser, at=LATER, reason="同一单位"
    )
    go_round(LATER + timedelta(minutes=1))

    assert subjects() == [
        "double: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    ]
    reasons = Message.objects.exclude(state="sent").values_list("state", "reason")
    assert list(reasons) == [("superseded", "asked_otherwise")]


def test_seat_that_begins_later_gets_the_request_that_stands(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()

    make_person("successor", role="liaison", organization=cast.member)
    go_round()

    assert subjects() == [
        "successor: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    ]
    assert notices(invitation) == [(1, "request", 1)]


def test_seat_that_ended_before_sending_gets_nothing(cast: Cast) -> None:
    invited(cast)
    tick(AT, stop=Stop())
    person = Person.objects.get(user__username="liaison")
    end_seat(person.seats.get(), on=AT.date(), viewer=SYSTEM, at=AT)

    go_round()

    assert subjects() == []
    assert Message.objects.get().reason == "no_longer_concerned"


def test_request_that_may_be_out_is_taken_back(cast: Cast) -> None:
    invitation = invited(cast)
    tick(AT, stop=Stop())
    message = Message.objects.get()
    Attempt.objects.create(
        message=message, number=1, outcome="retry", code="mail_cut", begun_at=AT, ended_at=AT
    )
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=AT)

    go_round()

    assert subjects() == ["liaison: Cancelled: Matchmaking"]


def test_invitation_withdrawn_and_renewed_before_it_was_told_is_still_taken_back(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    go_round()
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)
    tick(LATER, stop=Stop())
    invite_organizations(stored(invitation.event), [cast.member], viewer=cast.secretary, at=LATER)
    tick(LATER, stop=Stop())
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)

    go_round(LATER + timedelta(minutes=1))

    assert subjects() == ["liaison: Invitation withdrawn: Matchmaking"]


def test_seat_that_begins_while_the_date_is_open_gets_the_request_that_stands(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    postpone_event(stored(invitation.event), reason="台风", viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=1))

    make_person("successor", role="liaison", organization=cast.member)
    go_round(LATER + timedelta(minutes=2))

    assert subjects() == ["successor: Invitation: Matchmaking, a new date will follow"]


def test_event_that_the_organization_cannot_see_is_not_told_until_it_opens(cast: Cast) -> None:
    invitation = invited(cast, audience="secretariat")
    go_round()
    hidden = (subjects(), notices(invitation))

    revise_event(stored(invitation.event), viewer=SYSTEM, at=LATER, audience="members")
    go_round()

    assert hidden == ([], [])
    assert subjects() == [
        "liaison: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    ]


def test_postpone_event_without_a_date_keeps_the_invitation_and_says_so(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()

    postpone_event(stored(invitation.event), reason="台风", viewer=SYSTEM, at=LATER)
    go_round()

    assert subjects() == ["liaison: Postponed: Matchmaking, a new date will follow"]
    assert "台风" in mail.outbox[0].body
    assert notices(invitation)[-1] == (2, "request", 2)


def test_event_that_has_ended_is_not_told_of(cast: Cast) -> None:
    invitation = invited(cast)

    go_round(MORNING.ends_at)

    assert subjects() == []
    assert notices(invitation) == []


def test_reading_the_log_again_changes_nothing(cast: Cast) -> None:
    invited(cast)
    go_round()
    lines = Delivery.objects.count()

    Cursor.objects.filter(subscriber=InvitationNews.name).update(number=0)
    go_round()

    assert subjects() == []
    assert (Delivery.objects.count(), InvitationNotice.objects.count()) == (lines, 1)


def test_answer_given_keeps_through_a_confirmation_and_ends_with_the_time(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    answer_invitation(stored(invitation), state="accepted", viewer=cast.member_liaison, at=LATER)

    confirm_event(stored(invitation.event), viewer=SYSTEM, at=LATER)
    go_round()
    confirmed = _calendar_part()
    schedule_event(stored(invitation.event), AFTERNOON, reason="场地", viewer=SYSTEM, at=LATER)
    go_round()

    assert "PARTSTAT=ACCEPTED" in confirmed
    assert "PARTSTAT=NEEDS-ACTION" in _calendar_part()


def _calendar_part() -> str:
    (sent,) = mail.outbox
    text = next(one.content for one in sent.alternatives if one.mimetype.startswith("text/cal"))
    return str(text).replace("\r\n ", "")


def test_schedule_event_anew_says_to_whoever_was_asked_what_was_what_is_and_why(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    go_round()
    schedule_event(
        stored(invitation.event), AFTERNOON, reason="场地冲突", viewer=cast.secretary, at=LATER
    )
    newcomer = make_person("newcomer", role="deputy", organization=cast.member)
    go_round(LATER + timedelta(minutes=1))

    texts = {one.to[0].partition("<")[2].partition("@")[0]: one.body for one in mail.outbox}
    was = "Originally: 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    assert newcomer.user.username in texts
    assert {who: was in text for who, text in texts.items()} == {"liaison": True, "newcomer": False}
    assert {who: "场地冲突" in text for who, text in texts.items()} == {
        "liaison": True,
        "newcomer": False,
    }
    assert all("23 May 2028, 14:00–17:30 (Beijing time, UTC+8)" in text for text in texts.values())
    assert "The time has changed. Reason: 场地冲突" in texts["liaison"]


def test_schedule_event_without_a_reason_gives_none_of_an_earlier_move(cast: Cast) -> None:
    invitation = invited(cast)
    event = schedule_event(
        stored(invitation.event), AFTERNOON, reason="场地冲突", viewer=cast.secretary, at=LATER
    )
    go_round()
    schedule_event(event, MORNING, viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=1))

    [update] = mail.outbox
    assert "Originally: 23 May 2028, 14:00–17:30 (Beijing time, UTC+8)" in update.body
    assert "The time has changed.\n" in update.body
    assert "场地冲突" not in update.body


def test_schedule_event_after_a_postponement_tells_the_time_it_had(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    event = postpone_event(stored(invitation.event), reason="台风", viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=1))
    schedule_event(event, AFTERNOON, reason="场地已定", viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=2))

    [update] = mail.outbox
    assert "Originally: 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)" in update.body
    assert "The time has changed. Reason: 场地已定" in update.body


@counted
def test_requests_got_are_found_without_all_that_the_reader_ever_got(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=AT)
    go_round()
    notice = invitation.notices.get(number=2)
    reader = Delivery.objects.filter(generation=1).get().recipient
    steps = steps_of(lambda: requests_got(notice, recipient=reader))

    for number in range(300):
        enqueue([reader], channel="post", cause=cause(f"other {number}"))

    assert [one.number for one in requests_got(notice, recipient=reader)] == [1]
    again = steps_of(lambda: requests_got(notice, recipient=reader))
    assert again == pytest.approx(steps, rel=0.1)
