"""A calendar's reply of somebody asked for several organizations answers for each of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail

from alliances.models import Person
from alliances.seating import end_seat, seat_person
from coordination.accounts.viewer import SYSTEM
from events.inviting import (
    Given,
    answer_as_invitee,
    answer_invitation,
    invite_organizations,
    withdraw_invitation,
)
from events.models import Answer, AnswerWay, Invitation, Invitee
from events.scheduling import schedule_event
from tests.events.replying import LATER, come_in, reply, send
from tests.factories import AFTERNOON, AT, Cast, make_member, make_organization, stored

pytestmark = pytest.mark.django_db
SOON = LATER + timedelta(seconds=30)


@pytest.fixture
def other(invitee: Invitee, cast: Cast) -> Invitee:
    """The same person, asked to the same event for a second organization."""
    city = make_organization("石家庄市", name_en="Shijiazhuang City")
    make_member(cast.alliance, city)
    seat_person(
        Person.objects.get(user__username="liaison"),
        role="liaison",
        organization=city,
        starts_on=date(2027, 1, 1),
        viewer=SYSTEM,
        at=AT,
    )
    event = stored(invitee.invitation.event)
    invite_organizations(event, [city], viewer=cast.secretary, at=AT)
    send(SOON)
    return (
        Invitee.objects.select_related("invitation__event", "person").exclude(pk=invitee.pk).get()
    )


def states() -> list[str]:
    return list(Invitation.objects.order_by("pk").values_list("state", flat=True))


def test_reply_counts_for_every_organization_that_its_sender_is_asked_for(other: Invitee) -> None:
    row = come_in(reply("outlook-accepted", other))

    assert (row.state, row.invitation, states()) == (
        "answered",
        other.invitation,
        ["accepted", "accepted"],
    )
    assert list(Answer.objects.values_list("way", "person__user__username")) == [
        ("mail", "liaison"),
        ("mail", "liaison"),
    ]


def test_invitation_to_somebody_asked_twice_says_what_an_answer_in_the_calendar_does(
    other: Invitee,
) -> None:
    [told] = mail.outbox
    words = (
        "You are asked to this event for Shijiazhuang Zone too. It is one entry in your calendar: "
        "an answer there counts for all of them, except where another answer was given."
    )

    assert words in told.body
    assert words in str(told.alternatives[0].content)


def test_second_thought_in_the_calendar_counts_for_both_and_an_older_one_for_neither(
    other: Invitee,
) -> None:
    come_in(reply("outlook-accepted", other, stamp="20280110T020700Z"))
    come_in(reply("google-declined", other, stamp="20280110T020900Z"))
    late = come_in(reply("apple-tentative", other, stamp="20280110T020800Z"))

    assert (late.state, states()) == ("outdated", ["declined", "declined"])
    assert Answer.objects.count() == 4


def test_reply_leaves_alone_what_was_answered_otherwise(invitee: Invitee, other: Invitee) -> None:
    answer_as_invitee(invitee, Given(state="declined"), way=AnswerWay.LINK, at=SOON)

    row = come_in(reply("outlook-accepted", other))

    assert (row.state, states()) == ("answered", ["declined", "accepted"])


def test_reply_leaves_alone_what_the_secretariat_answered(
    invitee: Invitee, other: Invitee, cast: Cast
) -> None:
    answer_invitation(stored(invitee.invitation), state="declined", viewer=cast.secretary, at=SOON)

    come_in(reply("outlook-accepted", other))

    assert states() == ["declined", "accepted"]


def test_reply_to_a_new_time_counts_where_an_earlier_one_was_answered_otherwise(
    invitee: Invitee, other: Invitee
) -> None:
    answer_as_invitee(invitee, Given(state="declined"), way=AnswerWay.LINK, at=SOON)
    schedule_event(stored(other.invitation.event), AFTERNOON, viewer=SYSTEM, at=SOON)
    send(SOON + timedelta(minutes=1))

    come_in(reply("outlook-accepted", other, stamp="20280110T030000Z"), at=AT + timedelta(hours=2))

    assert states() == ["accepted", "accepted"]


def test_reply_does_not_count_for_an_invitation_that_was_not_mailed_or_was_withdrawn(
    invitee: Invitee, other: Invitee, cast: Cast
) -> None:
    withdraw_invitation(stored(invitee.invitation), viewer=cast.secretary, at=SOON)
    come_in(reply("outlook-accepted", other))
    withdrawn = states()
    invite_organizations(
        stored(other.invitation.event), [cast.member], viewer=cast.secretary, at=SOON
    )

    come_in(reply("google-declined", other, stamp="20280110T020900Z"))

    assert (withdrawn, states()) == (["needs_action", "accepted"], ["needs_action", "declined"])


def test_reply_does_not_count_where_its_sender_answers_no_longer(
    invitee: Invitee, other: Invitee
) -> None:
    seat = invitee.person.seats.get(organization=invitee.invitation.organization)
    end_seat(seat, on=AT.date(), viewer=SYSTEM, at=AT)

    come_in(reply("outlook-accepted", other))

    assert states() == ["needs_action", "accepted"]
