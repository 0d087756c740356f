"""How a reminder reads, in one reader's language and zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from alliances.expiring import day_of_rights
from alliances.models import Seat
from coordination.bilingual import language_or_default, localized
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Item, Rendered
from coordination.pages.wording import day_in_words, duration_in_words
from events.audiences import recipients_of_rule
from events.calendar_event import describe_span
from events.models import Event, Invitation, ReminderRule
from events.own_words import fill

Card = dict[str, Any]
BEGINNING: Final = timedelta(minutes=10)
"""For so long after its beginning an event is said to begin now."""
NAME_HERE: Final = "\ue000name-of-the-reader\ue001"
PERSONAL: Final = ("{name", "{organization", "{answer_by")
"""Places of an office's own words that each reader reads otherwise."""


def reads_alike(pairs: Iterable[tuple[Event, ReminderRule]], reader: Reader) -> bool:
    """Whether all with this reader's language and zone get the same words but for their name."""
    language = language_or_default(reader.language)
    texts = [localized(rule, "text", language) for _event, rule in pairs]
    return not any(place in text for text in texts for place in PERSONAL)


def nameless(reader: Reader) -> Reader:
    """Return a reader like this one, with a mark for the name where there is one."""
    return replace(reader, name=NAME_HERE if reader.name else "")


def addressed(letter: Rendered, reader: Reader) -> Rendered:
    """Return a letter to a nameless reader with the reader's own name in it."""
    return replace(
        letter,
        text=letter.text.replace(NAME_HERE, reader.name),
        html=letter.html.replace(NAME_HERE, escape(reader.name)),
    )


def render_reminders(
    pairs: Sequence[tuple[Event, ReminderRule]], reader: Reader, at: datetime
) -> Rendered:
    """Write one message that reminds of one or more events.

    Args:
        pairs: events, each with the rule that reminds of it.
        reader: gives the language and the zone.
        at: instant of the first try, from which "in 3 days" counts.
    """
    language = language_or_default(reader.language)
    with override(language):
        cards = [_card(event, rule, reader, language, at) for event, rule in pairs]
        context = {"reader": reader, "cards": cards, "language": language}
        return Rendered(
            subject=_("Reminder: %(title)s, %(left)s") % cards[0],
            text=render_to_string("events/mail/reminder.txt", context),
            html=render_to_string("events/mail/reminder.html", context),
            language=language,
            items=tuple(_item(card) for card in cards),
        )


def _item(card: Card) -> Item:
    """Return a reminder in short: how long, when, where; and the office's own words."""
    facts = " · ".join(filter(None, (card["left"], card["when"], card["place"])))
    return Item(card["title"], "\n".join(filter(None, (facts, card["own_words"]))), card["url"])


def _card(event: Event, rule: ReminderRule, reader: Reader, language: str, at: datetime) -> Card:
    span, starts, ends = event.span, event.starts_at, event.ends_at
    if span is None or starts is None or ends is None:
        raise ValueError("an event without a time has no reminder")
    is_ahead = at < starts + BEGINNING
    card: Card = {
        "title": localized(event, "title", language),
        "alliance": localized(event.alliance, "name", language),
        "left": time_left(starts - at) if is_ahead else time_gone(at - ends),
        "begins": is_ahead,
        "when": describe_span(span, language=language, home_zone=reader.time_zone),
        "place": localized(event, "place", language),
        "online_url": event.online_url,
        "contact": event.contact,
        "hosts": [
            localized(row.organization, "name", language) if row.organization else row.name
            for row in event.hosts.select_related("organization")
        ],
        "postponed": event.reason if event.state == "postponed" else "",
        "url": f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/",
    }
    words = localized(rule, "text", language)
    seat = None
    if "{organization}" in words or "{answer_by}" in words:
        told = recipients_of_rule(event, rule, on=day_of_rights(at))
        seat = _seat_of(reader, told) or _seat_of(reader, Seat.objects.all())
    card["own_words"] = fill(words, _values(card, event, seat, reader, language)) if words else ""
    return card


def _values(card: Card, event: Event, seat: Any, reader: Reader, language: str) -> dict[str, str]:
    """Return what fills the places of an office's own words.

    Args:
        card: the event in words.
        event: the event.
        seat: by which the reader is told, where the words name its organization; else None.
        reader: who is told.
        language: of the words.
    """
    organization = answer_by = ""
    if seat is not None:
        organization = localized(seat.organization, "name", language)
        day = (
            Invitation.objects.filter(event=event, organization=seat.organization)
            .values_list("answer_by", flat=True)
            .first()
        )
        answer_by = day_in_words(day, language=language) if day is not None else ""
    return {
        "name": reader.name,
        "organization": organization,
        "title": card["title"],
        "alliance": card["alliance"],
        "when": card["when"],
        "left": card["left"],
        "place": card["place"],
        "hosts": _(", ").join(card["hosts"]),
        "answer_by": answer_by,
        "url": card["url"],
    }


def _seat_of(reader: Reader, seats: QuerySet[Any, Any]) -> Any:
    """Return the seat among some by which a person acts for an organization: one that lasts."""
    kind, _colon, uid = reader.recipient.partition(":")
    if kind != "person":
        return None
    rows = seats.filter(person__uid=uid, organization__isnull=False)
    lasting = F("ends_on").desc(nulls_first=True)
    return rows.select_related("organization").order_by(lasting, "pk").first()


def time_left(left: timedelta) -> str:
    """Return how long it is until something begins, in the language that is active.

    Args:
        left: exact time until then; not positive means that it has begun.
    """
    if left < timedelta(seconds=30):
        return _("now")
    return _("in %(time)s") % {"time": duration_in_words(left, language=get_language() or "")}


def time_gone(gone: timedelta) -> str:
    """Return how long ago something that has begun was over, in the language that is active.

    Args:
        gone: exact time since its end; negative while it goes on.
    """
    if gone < timedelta(0):
        return _("is under way")
    if gone < timedelta(minutes=30):
        return _("has just ended")
    words = duration_in_words(gone, language=get_language() or "")
    return _("ended %(time)s ago") % {"time": words}
