"""Two subscribers keep a copy through generated histories: one asks by tag, one by date."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import icalendar
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alliances.models import Alliance
from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import Refusal
from events.calendar_event import Level, Span
from events.calendar_values import calendar_event
from events.models import Event
from events.retiring import retire_cancelled_events
from events.scheduling import (
    cancel_event,
    confirm_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from events.vevent import vevent
from tests.coordination.calendars.conftest import AT

FEED = "/calendars/alliances/jjj.ics"
ZONES = ("Asia/Shanghai", "Europe/Madrid", "Africa/Casablanca", "UTC")
Step = Callable[[Event, datetime, Span], object]


class Subscriber:
    """A calendar program: keeps the last answer, asks whether it is still good."""

    def __init__(self, client: Client, *, validator: str, header: str) -> None:
        self.client, self.validator, self.header = client, validator, header
        self.known = ""
        self.copy: dict[str, bytes] = {}

    def poll(self) -> None:
        headers = {self.validator: self.known} if self.known else {}
        response = self.client.get(FEED, headers=headers)
        if response.status_code == 304:
            return
        self.known = response.headers.get(self.header, "")
        calendar = icalendar.Calendar.from_ical(response.content)
        self.copy = {str(event["UID"]): event.to_ical() for event in calendar.walk("VEVENT")}


def truth(alliance: Alliance) -> dict[str, bytes]:
    """What a fresh look at the events themselves says."""
    found = {}
    for event in Event.objects.filter(alliance=alliance, openness="public", retired=False):
        values = calendar_event(event)
        if values.shown_span is not None:
            text = vevent(values, language="zh-hans", level=Level.PUBLIC)
            found[event.ical_uid] = icalendar.Event.from_ical(text).to_ical()
    return found


STEPS: list[Step] = [
    lambda event, at, span: schedule_event(event, span, viewer=SYSTEM, at=at, reason="改期"),
    lambda event, at, span: confirm_event(event, viewer=SYSTEM, at=at),
    lambda event, at, span: postpone_event(event, viewer=SYSTEM, at=at, reason="台风"),
    lambda event, at, span: postpone_event(event, viewer=SYSTEM, at=at, reason="台风", span=span),
    lambda event, at, span: cancel_event(event, viewer=SYSTEM, at=at, reason="取消"),
    lambda event, at, span: revise_event(event, viewer=SYSTEM, at=at, title_zh=f"会{at:%d}"),
    lambda event, at, span: revise_event(event, viewer=SYSTEM, at=at, audience="members"),
    lambda event, at, span: revise_event(event, viewer=SYSTEM, at=at, audience="public"),
    lambda event, at, span: retire_cancelled_events(at=at + timedelta(days=400)),
]
spans = st.builds(
    lambda day, zone, all_day: Span(
        starts=datetime(2024, 3, 1, 2, 30) + timedelta(days=day),
        ends=datetime(2024, 3, 1, 9) + timedelta(days=day),
        zone=zone,
        is_all_day=all_day,
    ),
    st.integers(0, 300),
    st.sampled_from(ZONES),
    st.booleans(),
)
histories = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(STEPS),
        spans,
        st.integers(0, 2),  # seconds that pass before: often none at all
        st.booleans(),
    ),
    max_size=12,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=histories)
def test_subscribe_through_any_history_keeps_copies_equal_to_the_events(
    alliance: Alliance, client: Client, history: list[tuple[int, Step, Span, int, bool]]
) -> None:
    by_tag = Subscriber(client, validator="If-None-Match", header="ETag")
    by_date = Subscriber(client, validator="If-Modified-Since", header="Last-Modified")
    at = AT
    pks: list[int] = []
    for index, step, span, seconds, is_polled in history:
        at += timedelta(seconds=seconds)
        if index >= len(pks):
            event = draft_event(
                alliance, viewer=SYSTEM, at=at, title_zh="会", audience="public", span=span
            )
            pks.append(event.pk)
        with suppress(Refusal):
            step(Event.objects.get(pk=pks[index % len(pks)]), at, span)
        if is_polled:
            by_tag.poll()
            by_date.poll()
    by_tag.poll()
    by_date.poll()

    assert by_tag.copy == truth(alliance)
    assert by_date.copy == truth(alliance)
