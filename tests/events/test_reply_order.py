"""A reply answers the time its sender had been told, and undoes no later answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import TransitionNotAllowed
from events.inbound import settle_message
from events.inviting import (
    Given,
    answer_as_invitee,
    given_in,
)
from events.models import Answer, AnswerWay, Invitation, Invitee
from events.scheduling import confirm_event, schedule_event
from tests.events.replying import LATER, answers, come_in, reply, send
from tests.factories import AFTERNOON, AT, Cast, make_person, stored

pytestmark = pytest.mark.django_db


def test_older_reply_never_overwrites_a_newer_one(invitee: Invitee) -> None:
    come_in(reply("outlook-accepted", invitee, stamp="20280110T020700Z"))
    row = come_in(reply("google-declined", invitee, stamp="20280110T020600Z"))

    assert row.state == "outdated"
    assert [state for state, _way, _words in answers()] == ["accepted"]


def test_reply_to_a_sequence_that_was_never_sent_does_not_shut_out_later_ones(
    invitee: Invitee,
) -> None:
    come_in(reply("outlook-accepted", invitee, sequence=99))

    row = come_in(reply("google-declined", invitee, stamp="20280110T020700Z"))

    assert (row.state, Invitation.objects.get().state) == ("answered", "declined")


def test_reply_older_than_an_answer_by_link_does_not_overwrite_it(invitee: Invitee) -> None:
    answer_as_invitee(
        invitee, Given(state="declined"), way=AnswerWay.LINK, at=AT + timedelta(hours=2)
    )
    row = come_in(reply("outlook-accepted", invitee), at=AT + timedelta(hours=3))

    assert row.state == "outdated"
    assert Invitation.objects.get().state == "declined"


def test_reply_to_an_earlier_time_does_not_count_for_the_new_one(invitee: Invitee) -> None:
    raw = reply("outlook-accepted", invitee)
    schedule_event(stored(invitee.invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    send()

    row = come_in(raw)

    assert row.state == "outdated"
    assert answers() == []


def test_reply_that_says_no_sequence_answers_what_was_told_when_it_was_written(
    invitee: Invitee,
) -> None:
    raw = reply("apple-tentative", invitee)
    schedule_event(
        stored(invitee.invitation.event), AFTERNOON, viewer=SYSTEM, at=AT + timedelta(hours=1)
    )
    send(AT + timedelta(hours=1))

    row = come_in(raw, at=AT + timedelta(hours=2))

    assert (row.state, answers()) == ("outdated", [])


@pytest.mark.parametrize("sequence", [0, "none"])
def test_reply_to_a_sequence_before_the_first_that_was_sent_is_not_lost(
    invitee: Invitee, sequence: object
) -> None:
    row = come_in(reply("outlook-accepted", invitee, sequence=sequence))

    assert (row.state, Invitation.objects.get().state) == ("answered", "accepted")


def test_replies_that_repeat_the_stamp_of_the_invitation_are_put_in_order_by_when_they_came(
    invitee: Invitee,
) -> None:
    copied = f"{invitee.invitation.notices.get().stamp_at:%Y%m%dT%H%M%SZ}"
    come_in(reply("outlook-accepted", invitee, stamp=copied))
    answer_as_invitee(
        invitee, Given(state="tentative"), way=AnswerWay.LINK, at=AT + timedelta(hours=2)
    )

    row = come_in(
        reply("google-declined", invitee, stamp=copied), at=AT + timedelta(hours=2, minutes=1)
    )

    assert (row.state, Invitation.objects.get().state) == ("answered", "declined")


def test_reply_older_than_a_colleagues_does_not_overwrite_it(cast: Cast, invitee: Invitee) -> None:
    make_person("deputy", role="deputy", organization=cast.member)
    send()
    colleague = Invitee.objects.select_related("invitation__event").get(
        person__user__username="deputy"
    )
    come_in(
        reply(
            "google-declined", colleague, attendee="deputy@example.org", stamp="20280110T030000Z"
        ),
        at=AT + timedelta(hours=1, minutes=1),
    )

    late = come_in(reply("outlook-accepted", invitee), at=AT + timedelta(hours=2))

    assert (late.state, Invitation.objects.get().state) == ("outdated", "declined")


def test_reply_written_minutes_before_another_answer_waits_for_people(
    cast: Cast, invitee: Invitee
) -> None:
    answer_as_invitee(
        invitee, Given(state="declined"), way=AnswerWay.LINK, at=LATER + timedelta(minutes=2)
    )

    row = come_in(reply("outlook-accepted", invitee))

    assert (row.state, row.said, Invitation.objects.get().state) == (
        "letter",
        "accepted",
        "declined",
    )
    assert row.error == "near"
    assert row.why
    settle_message(row, counts=True, viewer=cast.secretary, at=LATER + timedelta(hours=1))
    assert Invitation.objects.get().state == "accepted"


def test_reply_that_says_the_same_keeps_what_a_calendar_cannot_say(invitee: Invitee) -> None:
    said = Given(state="accepted", delegates=3, comment="请安排接站")
    answer_as_invitee(invitee, said, way=AnswerWay.LINK, at=LATER)

    same = come_in(reply("google-declined", invitee).replace(b"DECLINED", b"ACCEPTED"))
    kept = given_in(Answer.objects.order_by("-pk")[0])
    come_in(reply("google-declined", invitee, stamp="20280110T020900Z"))

    assert same.state == "answered"
    assert kept == replace(said, comment="away")
    assert given_in(Answer.objects.order_by("-pk")[0]) == Given(state="declined", comment="away")


def test_reply_that_says_nothing_beyond_the_answer_that_is_here_is_repeated(
    invitee: Invitee,
) -> None:
    said = Given(state="tentative", delegates=3, comment="请安排接站")
    answer_as_invitee(invitee, said, way=AnswerWay.LINK, at=LATER)

    row = come_in(reply("apple-tentative", invitee))

    assert row.state == "repeated"
    assert [given_in(answer) for answer in Answer.objects.all()] == [said]


def test_reply_that_answered_an_earlier_time_is_not_counted_for_the_new_one_by_a_tap(
    cast: Cast, invitee: Invitee
) -> None:
    row = come_in(reply("outlook-accepted", invitee, reply_to="secretariat@example.org"))
    schedule_event(stored(invitee.invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    send()

    with pytest.raises(TransitionNotAllowed) as refused:
        settle_message(stored(row), counts=True, viewer=cast.secretary, at=LATER)

    assert refused.value.code == "event_moved"
    assert (stored(row).state, answers()) == ("unverified", [])


def test_reply_from_before_a_mere_confirmation_counts(invitee: Invitee) -> None:
    raw = reply("outlook-accepted", invitee)
    confirm_event(stored(invitee.invitation.event), viewer=SYSTEM, at=LATER)
    send()

    assert come_in(raw).state == "answered"
