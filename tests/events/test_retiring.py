"""Cancelled events leave the calendars after 400 days."""

from datetime import UTC, datetime, timedelta

import pytest

from alliances.joining import found_alliance
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change
from events.calendar_event import Span
from events.models import Event
from events.retiring import retire_cancelled_events
from events.scheduling import cancel_event, draft_event

AT = datetime(2024, 1, 8, 1, 0, tzinfo=UTC)


@pytest.fixture
def cancelled(db: None) -> Event:
    alliance = found_alliance(viewer=SYSTEM, at=AT, slug="jjj", kind="other", name_zh="联盟")
    span = Span(
        starts=datetime(2024, 2, 29, 9), ends=datetime(2024, 2, 29, 11), zone="Asia/Shanghai"
    )
    event = draft_event(alliance, viewer=SYSTEM, at=AT, title_zh="会", audience="public", span=span)
    return cancel_event(event, reason="台风", viewer=SYSTEM, at=AT)


def test_retire_before_400_days_are_over_changes_nothing(cancelled: Event) -> None:
    last = Change.objects.order_by("number").last()

    assert retire_cancelled_events(at=AT + timedelta(days=399)) == 0
    assert Change.objects.order_by("number").last() == last
    cancelled.refresh_from_db()
    assert cancelled.retired is False


def test_retire_after_400_days_is_a_change_that_happens_once(cancelled: Event) -> None:
    later = AT + timedelta(days=400)

    assert retire_cancelled_events(at=later) == 1
    assert retire_cancelled_events(at=later) == 0
    cancelled.refresh_from_db()
    assert cancelled.retired is True
    assert (cancelled.version, cancelled.sequence) == (3, 1)
    change = Change.objects.order_by("number").last()
    assert change is not None
    assert (change.kind, change.actor, change.diff) == (
        "event.retired",
        "system",
        {"retired": [False, True]},
    )
