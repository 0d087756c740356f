"""Reminders as a source of deliveries: firing what is due, the last look, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from coordination.accounts.viewer import Viewer
from coordination.bilingual import language_or_default, localized
from coordination.deliveries.fanout import Cause, fan_out
from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from events.audiences import recipients_of
from events.calendar_event import describe_span
from events.models import Event, Reminder, ReminderState
from events.reminding import REMINDED_STATES

ABOUT = "events.event"


class Reminders:
    """The source "reminder": one cause is one reminder row in one generation."""

    kind = "reminder"

    def fire_next(self, at: datetime) -> bool:
        """Fire, or skip, the reminder that has been due longest; return whether there was one."""
        with transaction.atomic():
            reminder = _due(at)
            if reminder is None:
                return False
            note = _reason_to_skip(reminder, at)
            if note:
                reminder.state, reminder.note = ReminderState.SKIPPED, note
            else:
                self._tell(reminder, at)
                reminder.state, reminder.fired_at = ReminderState.FIRED, at
            reminder.save(update_fields=["state", "note", "fired_at"])
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return since when a reminder has been due and has not fired; None when none is."""
        due = Reminder.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
        return due.order_by("due_at").values_list("due_at", flat=True).first()

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Return why the message is no longer wanted, or ""."""
        reminder = _reminder_of(delivery)
        if reminder is None:
            return "rule_removed"
        event = reminder.event
        if reminder.generation != delivery.generation:
            return "event_moved"
        if event.state not in REMINDED_STATES or event.starts_at is None:
            return f"event_{event.state}"
        if not reader.address:
            return "no_address"
        wanted = recipients_of(event, reminder.rule.audience, on=_day(at, event))
        if not wanted.filter(recipient=delivery.recipient).exists():
            return "no_longer_concerned"
        return ""

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Write the reminder in the reader's language, with the event's zone and the reader's."""
        language = language_or_default(reader.language)
        reminders = [found for row in deliveries if (found := _reminder_of(row)) is not None]
        with override(language):
            cards = [_card(reminder, reader, language, at) for reminder in reminders]
            context = {"reader": reader, "cards": cards, "language": language}
            return Rendered(
                subject=_("Reminder: %(title)s, %(left)s") % cards[0],
                text=render_to_string("events/mail/reminder.txt", context),
                html=render_to_string("events/mail/reminder.html", context),
                language=language,
            )

    def _tell(self, reminder: Reminder, at: datetime) -> None:
        event, rule = reminder.event, reminder.rule
        cause = Cause(
            source=self.kind,
            source_id=str(reminder.pk),
            generation=reminder.generation,
            due_at=reminder.due_at,
            send_after=reminder.due_at,
            expires_at=event.starts_at if reminder.due_at < (event.starts_at or at) else None,
            about_type=ABOUT,
            about_uid=event.uid,
        )
        recipients = recipients_of(event, rule.audience, on=_day(at, event))
        for channel in rule.channels:
            fan_out(recipients, channel=channel, cause=cause)


def ledger_of_secretariats(viewer: Viewer) -> Q:
    """Return the condition for lines about events that the viewer's secretariats own."""
    staffed = viewer.pks("secretariat", "alliance")
    if not staffed:
        return Q(pk__in=[])
    events = Event.objects.filter(alliance__in=staffed).values("uid")
    return Q(about_type=ABOUT, about_uid__in=events)


def _due(at: datetime) -> Reminder | None:
    rows = Reminder.objects.filter(state=ReminderState.PENDING, due_at__lte=at)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found: Reminder | None = (
        rows.select_related("event__alliance", "rule").order_by("due_at", "pk").first()
    )
    return found


def _reason_to_skip(reminder: Reminder, at: datetime) -> str:
    """Return why a due reminder is not sent, or "": the rule's late policy."""
    event, rule = reminder.event, reminder.rule
    if event.state not in REMINDED_STATES or event.starts_at is None:
        return "event is off"
    if reminder.due_at < event.starts_at <= at:
        return "event has begun"
    if at - reminder.due_at > timedelta(minutes=rule.grace_minutes):
        return "too late"
    nearer = Reminder.objects.filter(
        event=event,
        state=ReminderState.PENDING,
        due_at__gt=reminder.due_at,
        due_at__lte=at,
        rule__audience=rule.audience,
        rule__channels=rule.channels,
    )
    return "a nearer reminder goes out" if nearer.exists() else ""


def _reminder_of(delivery: Delivery) -> Reminder | None:
    found: Reminder | None = (
        Reminder.objects.filter(pk=int(delivery.source_id))
        .select_related("event__alliance", "event__work_area", "rule")
        .first()
    )
    return found


def _day(at: datetime, event: Event) -> date:
    return at.astimezone(ZoneInfo(event.time_zone)).date()


def _card(
    reminder: Reminder, reader: Reader, language: str, at: datetime
) -> dict[str, str | list[str]]:
    event, rule = reminder.event, reminder.rule
    span = event.span
    if span is None or event.starts_at is None:
        raise ValueError("an event without a time has no reminder")
    return {
        "title": localized(event, "title", language),
        "alliance": localized(event.alliance, "name", language),
        "left": time_left(event.starts_at - at),
        "when": describe_span(span, language=language, home_zone=reader.time_zone),
        "place": localized(event, "place", language),
        "online_url": event.online_url,
        "contact": event.contact,
        "hosts": [
            localized(row.organization, "name", language) if row.organization else row.name
            for row in event.hosts.select_related("organization")
        ],
        "postponed": event.reason if event.state == "postponed" else "",
        "own_words": localized(rule, "text", language),
        "url": f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/",
    }


def time_left(left: timedelta) -> str:
    """Return how long it is until something begins, in the language that is active.

    Args:
        left: exact time until then; not positive means that it has begun.
    """
    minutes = int(left.total_seconds() // 60)
    if minutes <= 0:
        return _("now")
    if minutes < 60:
        return ngettext("in %(count)d minute", "in %(count)d minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    days = round(minutes / 1440)
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}
