"""How chasing reads: what an organization owes, in one reader's language and zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from coordination.bilingual import language_or_default, localized
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Item, Rendered
from coordination.pages.wording import (
    clock_in_words,
    day_in_words,
    duration_in_words,
    is_english,
    zone_name,
)
from events.models import ChaseStep, Duty
from events.own_words import fill
from events.zones import wall_of

Card = dict[str, Any]


def render_chases(
    pairs: Sequence[tuple[Duty, ChaseStep]], reader: Reader, at: datetime
) -> Rendered:
    """Write one message about one or more duties.

    Args:
        pairs: duties, each with the step that is taken.
        reader: gives the language and the zone.
        at: instant of the first try, from which lateness counts.
    """
    language = language_or_default(reader.language)
    ordered = sorted(pairs, key=lambda pair: (pair[0].due_at, pair[0].pk))
    with override(language):
        cards = [_card(duty, step, reader, language, at) for duty, step in ordered]
        context = {
            "reader": reader,
            "cards": cards,
            "language": language,
            "owed_url": f"{settings.COORDINATION_BASE_URL}/owed/",
        }
        return Rendered(
            subject=_subject(cards),
            text=render_to_string("events/mail/chase.txt", context),
            html=render_to_string("events/mail/chase.html", context),
            language=language,
            items=tuple(_item(card) for card in cards),
        )


def _item(card: Card) -> Item:
    """Return a duty in short: what, of whom, by when; and the office's own words."""
    facts = " · ".join((card["organization"], card["due"], card["late"]))
    text = "\n".join(filter(None, (facts, card["own_words"])))
    return Item(f"{card['duty']} · {card['title']}", text, card["url"])


def _subject(cards: Sequence[Card]) -> str:
    late = sum(1 for card in cards if card["is_late"])
    if len(cards) > 1:
        words = ngettext(
            "%(count)d thing is owed, %(late)d of it late",
            "%(count)d things are owed, %(late)d of them late",
            len(cards),
        )
        return words % {"count": len(cards), "late": late}
    pattern = _("Overdue: %(duty)s, “%(title)s”") if late else _("Due: %(duty)s, “%(title)s”")
    return pattern % cards[0]


def _card(duty: Duty, step: ChaseStep, reader: Reader, language: str, at: datetime) -> Card:
    event = duty.event
    card: Card = {
        "duty": duty.get_kind_display(),
        "title": localized(event, "title", language),
        "alliance": localized(event.alliance, "name", language),
        "organization": localized(duty.organization, "name", language),
        "due": due_in_words(duty.due_at, reader.time_zone, language),
        "late": lateness(at - duty.due_at),
        "is_late": at > duty.due_at,
        "url": f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/",
    }
    words = localized(step, "text", language)
    card["own_words"] = ""
    if words:
        values = {
            "name": reader.name,
            "organization": card["organization"],
            "title": card["title"],
            "alliance": card["alliance"],
            "duty": card["duty"],
            "due": card["due"],
            "late": card["late"],
            "url": card["url"],
        }
        card["own_words"] = fill(words, values)
    return card


def due_in_words(due_at: datetime, zone: str, language: str) -> str:
    """Return a date and a time of day on the reader's clock, and which clock that is."""
    wall = wall_of(due_at, zone)
    day = day_in_words(wall.date(), language=language, with_year=True)
    name = zone_name(zone, language=language)
    clock = f" ({name})" if is_english(language) else f"（{name}）"
    return f"{day} {clock_in_words(wall)}{clock}"


def lateness(late: timedelta) -> str:
    """Return how late something is, or how long there still is, in the language that is active.

    Args:
        late: exact time since it was due; negative before.
    """
    words = duration_in_words(late, language=get_language() or "")
    return (_("%(time)s late") if late > timedelta(0) else _("due in %(time)s")) % {"time": words}
