"""Whoever stops answering for an organization loses the event from their calendar, once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Event as Stop
from typing import Any

import pytest
from django.core import mail

from alliances.expiring import record_access_changes
from alliances.models import Person
from alliances.seating import end_seat, erase_person, hand_over_seat, seat_person
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from coordination.deliveries.loop import tick
from coordination.deliveries.models import Cursor, Delivery, Message
from events.invitation_notices import InvitationNews
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.scheduling import (
    cancel_event,
    schedule_event,
)
from tests.events.asked import LATER, LONG_AGO, TODAY, go_round, invited, subjects
from tests.factories import (
    AFTERNOON,
    AT,
    Cast,
    make_member,
    make_organization,
    make_person,
    stored,
    viewer_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _from_the_beginning(db: None) -> None:
    Cursor.objects.create(subscriber=InvitationNews.name, number=0)


def hand_over(on: date = TODAY) -> Person:
    """Hand the liaison officer's seat to a successor; return the successor."""
    person = Person.objects.get(user__username="liaison")
    successor = make_person("successor")
    hand_over_seat(person.seats.get(), successor, on=on, viewer=SYSTEM, at=LATER)
    return successor


def last_number() -> int:
    """Return the number of the last change: whoever reads on from it never hears of what was."""
    return Change.objects.latest("number").number


def told(method: str) -> list[str]:
    """Return who was sent a calendar part of a method, by the names of their accounts."""
    return [
        one.to[0].partition("<")[2].partition("@")[0]
        for one in mail.outbox
        if any(f"method={method}" in part.mimetype for part in one.alternatives)
    ]


def test_hand_over_seat_takes_the_event_out_of_the_predecessors_calendar_alone(cast: Cast) -> None:
    invited(cast)
    make_person("deputy", role="deputy", organization=cast.member)
    go_round()

    hand_over()
    go_round(LATER + timedelta(minutes=1))

    assert sorted(subjects()) == [
        "liaison: No longer yours to answer: Matchmaking",
        "successor: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)",
    ]
    assert (told("CANCEL"), told("REQUEST")) == (["liaison"], ["successor"])
    parted = next(one for one in mail.outbox if "liaison" in one.to[0])
    assert (
        "Somebody else now answers for Shijiazhuang Zone, so this event is taken out of your "
        "calendar. Nothing else has changed: the event is not cancelled, and the invitation stands."
    ) in parted.body
    part = calendar_part(parted)
    assert part.count("ATTENDEE") == 1
    assert "liaison@example.org" in part
    assert "SEQUENCE:1" in part
    assert "STATUS" not in part


def test_predecessor_is_told_in_chinese_too(cast: Cast) -> None:
    invited(cast)
    go_round()
    person = Person.objects.get(user__username="liaison")
    end_seat(person.seats.get(), on=TODAY, viewer=SYSTEM, at=LATER)

    go_round(LATER + timedelta(minutes=1), language="zh-hans")

    [parted] = mail.outbox
    assert parted.subject == "不再由您答复：项目对接会"
    assert "您已不再代表石家庄高新区答复，本活动将从您的日历中移除。" in parted.body
    assert "其他均无变化：活动并未取消，邀请仍然有效。" in parted.body


def test_predecessor_hears_of_nothing_that_comes_after(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    hand_over()
    go_round(LATER + timedelta(minutes=1))

    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=2))
    moved = told("REQUEST"), told("CANCEL")
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=3))

    assert moved == (["successor"], [])
    assert (told("REQUEST"), told("CANCEL")) == ([], ["successor"])


def test_reading_the_log_again_after_a_hand_over_tells_nobody_again(cast: Cast) -> None:
    invited(cast)
    go_round()
    hand_over()
    go_round(LATER + timedelta(minutes=1))
    lines = Delivery.objects.count()

    Cursor.objects.filter(subscriber=InvitationNews.name).update(number=0)
    go_round(LATER + timedelta(minutes=2))

    assert subjects() == []
    assert Delivery.objects.count() == lines


def test_seat_that_ends_by_date_takes_the_event_out_on_that_day(cast: Cast) -> None:
    invited(cast)
    record_access_changes(at=AT)
    go_round()
    day = (LATER + timedelta(days=30)).date()
    hand_over(day)
    go_round(LATER + timedelta(minutes=1))
    before = subjects()

    then = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    record_access_changes(at=then)
    go_round(then)

    assert before == []
    assert sorted(subjects()) == [
        "liaison: No longer yours to answer: Matchmaking",
        "successor: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)",
    ]


def test_predecessor_of_whom_nothing_was_read_is_told_with_the_next_change(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    hand_over()
    Cursor.objects.filter(subscriber=InvitationNews.name).update(number=last_number())

    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=1))

    assert (told("REQUEST"), told("CANCEL")) == (["successor"], ["liaison"])


def test_person_who_is_asked_for_another_organization_too_keeps_the_event_until_both_end(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    other = make_organization("石家庄市", name_en="Shijiazhuang City")
    make_member(cast.alliance, other)
    liaison = Person.objects.get(user__username="liaison")
    own = liaison.seats.get()
    second = seat_person(
        liaison, role="liaison", organization=other, starts_on=LONG_AGO, viewer=SYSTEM, at=AT
    )
    invite_organizations(stored(invitation.event), [other], viewer=cast.secretary, at=AT)
    go_round()

    end_seat(own, on=TODAY, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=1))
    first = subjects()
    end_seat(second, on=TODAY, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=2))
    both, words = subjects(), mail.outbox[0].body
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=3))

    assert first == []
    assert both == ["liaison: No longer yours to answer: Matchmaking"]
    assert "You no longer answer for Shijiazhuang City" in words
    assert subjects() == []


def test_person_who_left_and_answers_again_is_asked_again_once(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    liaison = Person.objects.get(user__username="liaison")
    end_seat(liaison.seats.get(), on=TODAY, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=1))

    seat_person(
        liaison, role="deputy", organization=cast.member, starts_on=TODAY, viewer=SYSTEM,
        at=LATER,
    )  # fmt: skip
    go_round(LATER + timedelta(minutes=2))
    back = subjects()
    Cursor.objects.filter(subscriber=InvitationNews.name).update(number=0)
    go_round(LATER + timedelta(minutes=3))
    again = subjects()
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=4))

    assert back == [
        "liaison: Invitation: Matchmaking, 16 May 2028, 09:30–12:00 (Beijing time, UTC+8)"
    ]
    assert again == []
    assert subjects() == [
        "liaison: Updated invitation: Matchmaking, 23 May 2028, 14:00–17:30 (Beijing time, UTC+8)"
    ]
    stamps = list(invitation.notices.values_list("stamp_at", flat=True))
    assert stamps == sorted(set(stamps))


def test_person_who_comes_back_by_another_organization_is_told_by_a_later_message(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    other = make_organization("石家庄市", name_en="Shijiazhuang City")
    make_member(cast.alliance, other)
    invite_organizations(stored(invitation.event), [other], viewer=cast.secretary, at=AT)
    go_round()
    liaison = Person.objects.get(user__username="liaison")
    end_seat(liaison.seats.get(), on=TODAY, viewer=SYSTEM, at=LATER)
    go_round(LATER + timedelta(minutes=1))
    out = stamp_of(mail.outbox[0])

    seat_person(
        liaison, role="liaison", organization=other, starts_on=TODAY, viewer=SYSTEM, at=LATER
    )
    go_round(LATER + timedelta(minutes=2))

    assert told("REQUEST") == ["liaison"]
    assert stamp_of(mail.outbox[0]) > out


def test_person_who_moves_to_another_organization_after_a_withdrawal_is_told_by_a_later_message(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    other = make_organization("石家庄市", name_en="Shijiazhuang City")
    make_member(cast.alliance, other)
    make_person("mayor", role="liaison", organization=other)
    invite_organizations(stored(invitation.event), [other], viewer=cast.secretary, at=AT)
    go_round()
    withdraw_invitation(stored(invitation), viewer=cast.secretary, at=LATER)
    go_round(LATER + timedelta(minutes=1))
    [out] = [stamp_of(one) for one in mail.outbox]

    liaison = Person.objects.get(user__username="liaison")
    seat_person(
        liaison, role="deputy", organization=other, starts_on=TODAY, viewer=SYSTEM, at=LATER
    )
    go_round(LATER + timedelta(minutes=2))
    asked, stamp = told("REQUEST"), stamp_of(mail.outbox[0])
    Cursor.objects.filter(subscriber=InvitationNews.name).update(number=0)
    go_round(LATER + timedelta(minutes=3))

    assert (asked, subjects()) == (["liaison"], [])
    assert stamp > out


def test_person_who_comes_back_before_they_were_told_is_told_nothing(cast: Cast) -> None:
    invited(cast)
    go_round()
    liaison = Person.objects.get(user__username="liaison")
    end_seat(liaison.seats.get(), on=TODAY, viewer=SYSTEM, at=LATER)
    tick(LATER, stop=Stop())
    seat_person(
        liaison, role="deputy", organization=cast.member, starts_on=TODAY, viewer=SYSTEM,
        at=LATER,
    )  # fmt: skip

    go_round(LATER + timedelta(minutes=1))
    back = subjects()
    end_seat(
        liaison.seats.get(role="deputy"), on=TODAY + timedelta(days=1), viewer=SYSTEM,
        at=LATER,
    )  # fmt: skip
    then = LATER + timedelta(days=1)
    record_access_changes(at=LATER)
    record_access_changes(at=then)
    go_round(then)

    assert back == []
    assert subjects() == ["liaison: No longer yours to answer: Matchmaking"]


def test_move_before_the_predecessor_was_told_still_takes_the_event_out(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    hand_over()
    tick(LATER, stop=Stop())
    schedule_event(stored(invitation.event), AFTERNOON, viewer=SYSTEM, at=LATER)

    go_round(LATER + timedelta(minutes=1))

    assert (told("REQUEST"), told("CANCEL")) == (["successor"], ["liaison"])
    parted = next(one for one in mail.outbox if "liaison" in one.to[0])
    assert "Time: 16 May 2028, 09:30–12:00" in parted.body
    assert "SEQUENCE:2" in calendar_part(parted)


def test_cancel_event_before_the_predecessor_was_told_tells_them_once(cast: Cast) -> None:
    invitation = invited(cast)
    go_round()
    hand_over()
    tick(LATER, stop=Stop())
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=LATER)

    go_round(LATER + timedelta(minutes=1))

    assert subjects() == ["liaison: Cancelled: Matchmaking"]


def test_predecessor_whose_address_fails_for_good_is_not_written_to_at_every_answer(
    cast: Cast,
) -> None:
    invitation = invited(cast)
    go_round()
    successor = hand_over()
    tick(LATER, stop=Stop())
    liaison = Person.objects.get(user__username="liaison")
    Message.objects.filter(recipient=f"person:{liaison.uid}", state="pending").update(state="dead")

    answer_invitation(stored(invitation), state="accepted", viewer=viewer_of(successor), at=LATER)
    go_round(LATER + timedelta(minutes=1))

    assert told("CANCEL") == []
    assert told("REQUEST") == ["successor"]


def test_person_erased_is_told_nothing_more(cast: Cast) -> None:
    invited(cast)
    go_round()
    liaison = Person.objects.get(user__username="liaison")
    end_seat(liaison.seats.get(), on=TODAY, viewer=SYSTEM, at=LATER)
    erase_person(stored(liaison), viewer=cast.superuser, at=LATER, reason="本人要求")

    go_round(LATER + timedelta(minutes=1))

    assert subjects() == []


def test_cancel_event_tells_somebody_who_left_one_of_two_organizations_once(cast: Cast) -> None:
    invitation = invited(cast)
    other = make_organization("石家庄市", name_en="Shijiazhuang City")
    make_member(cast.alliance, other)
    liaison = Person.objects.get(user__username="liaison")
    own = liaison.seats.get()
    seat_person(
        liaison, role="liaison", organization=other, starts_on=LONG_AGO, viewer=SYSTEM, at=AT
    )
    invite_organizations(stored(invitation.event), [other], viewer=cast.secretary, at=AT)
    go_round()
    end_seat(own, on=TODAY, viewer=SYSTEM, at=LATER)
    cancel_event(stored(invitation.event), reason="预算", viewer=SYSTEM, at=LATER)

    go_round(LATER + timedelta(minutes=1))

    assert subjects() == ["liaison: Cancelled: Matchmaking"]
    assert "Shijiazhuang City" in mail.outbox[0].body


def stamp_of(sent: Any) -> str:
    [line] = [one for one in calendar_part(sent).split("\r\n") if one.startswith("DTSTAMP")]
    return line


def calendar_part(sent: Any) -> str:
    text = next(one.content for one in sent.alternatives if one.mimetype.startswith("text/cal"))
    return str(text).replace("\r\n ", "")
