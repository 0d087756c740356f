"""What a reminder says of an event that is ahead, under way or over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from alliances.seating import seat_person
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader
from events.concluding import conclude_event
from events.inviting import invite_organizations
from events.models import Event, Reminder
from events.reminder_letters import render_reminders
from events.reminding import add_reminder_rule
from events.telling import Reminders
from tests.factories import AT, Cast, make_event, make_person, span, stored

pytestmark = pytest.mark.django_db
SPAN = span("2028-05-16T09:30", "2028-05-16T12:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def event_with_rule(cast: Cast, offset: str, **values: object) -> Event:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset=offset, audience=["members"], **values
    )
    return make_event(cast.alliance, scheduled=True)


def said(event: Event, language: str, at: datetime) -> tuple[str, str]:
    reader = Reader(recipient="person:x", address="x@example.org", language=language)
    rule = Reminder.objects.get(event=event).rule
    written = render_reminders([(stored(event), rule)], reader, at)
    return written.subject, written.text.strip().split("\n")[0]


@pytest.mark.parametrize(
    ("at", "subject", "line"),
    [
        (SPAN.starts_at - DAY, "in 24 hours", "begins in 24 hours."),
        (SPAN.starts_at, "now", "begins now."),
        (SPAN.starts_at + HOUR, "is under way", "is under way."),
        (SPAN.ends_at, "has just ended", "has just ended."),
        (SPAN.ends_at + HOUR, "ended 1 hour ago", "ended 1 hour ago."),
        (SPAN.ends_at + 3 * DAY, "ended 3 days ago", "ended 3 days ago."),
    ],
)
def test_render_says_where_the_event_stands(
    cast: Cast, at: datetime, subject: str, line: str
) -> None:
    event = event_with_rule(cast, "-P1D")
    title, alliance = event.title_en or event.title_zh, cast.alliance.name_en

    assert said(event, "en", at) == (
        f"Reminder: {title}, {subject}",
        f"“{title}” of the {alliance} {line}",
    )


def test_fire_next_after_the_end_tells_also_of_an_event_that_was_concluded(cast: Cast) -> None:
    event = event_with_rule(cast, "P1D", anchor="end")
    event = conclude_event(stored(event), viewer=SYSTEM, at=SPAN.ends_at + HOUR)

    assert Reminders().fire_next(SPAN.ends_at + DAY) is True

    assert Reminder.objects.get().state == "fired"
    assert set(Delivery.objects.values_list("due_at", flat=True)) == {SPAN.ends_at + DAY}


def test_own_words_name_the_organization_for_which_the_reader_is_told(cast: Cast) -> None:
    person = make_person("both", role="liaison", organization=cast.host)
    seat = {"role": "liaison", "organization": cast.member, "starts_on": AT.date()}
    seat_person(person, viewer=SYSTEM, at=AT, **seat)
    event = make_event(cast.alliance, scheduled=True)
    invite_organizations(event, [cast.member], answer_by=date(2028, 5, 9), viewer=SYSTEM, at=AT)
    rule = add_reminder_rule(
        event, viewer=SYSTEM, at=AT, offset="-P7D", audience=["invited"],
        text_en="{organization}, answer by {answer_by}.",
    )  # fmt: skip
    reader = Reader(recipient=f"person:{person.uid}", address="x@example.org", language="en")

    written = render_reminders([(stored(event), rule)], reader, SPAN.starts_at - 7 * DAY)

    assert f"{cast.member.name_en or cast.member.name_zh}, answer by 9 May." in written.text
