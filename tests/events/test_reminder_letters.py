"""What a reminder says of an event that is ahead, under way or over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader
from events.concluding import conclude_event
from events.models import Event, Reminder
from events.reminder_letters import render_reminders
from events.reminding import add_reminder_rule
from events.telling import Reminders
from tests.factories import AT, Cast, make_event, span, stored

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
