"""Reminder rules in words: when, where they come from, what is not laid down yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coordination.bilingual import localized
from coordination.pages.wording import clock_in_words, day_in_words
from events.models import Anchor, ChaseStep, Clock, DayUnit, ReminderRule, StandardDuty, WorkdaysOf
from events.offsets import Offset, read_offset


def rule_in_words(rule: ReminderRule, language: str) -> str:
    """Return when a rule falls due: "5 working days before the beginning, 09:00"."""
    if rule.at_wall is not None:
        day = day_in_words(rule.at_wall.date(), language=language, with_year=True)
        zone = rule.at_zone or _("zone of the event")
        return f"{day} {clock_in_words(rule.at_wall)} ({zone})"
    offset = read_offset(rule.offset)
    words = _distance_or_moment(offset, rule)
    is_worked = offset.days and rule.day_unit == DayUnit.WORKING
    if is_worked and rule.workdays_of != WorkdaysOf.ALLIANCE:
        pattern = _("%(distance)s (working days of %(whose)s)")
        words = pattern % {"distance": words, "whose": rule.get_workdays_of_display()}
    if rule.at_time is not None:
        pattern = _("%(distance)s, at %(clock)s")
        if rule.clock == Clock.READER:
            pattern = _("%(distance)s, at %(clock)s by each reader's clock")
        words = pattern % {"distance": words, "clock": clock_in_words(rule.at_time)}
    if rule.repeat_every:
        every = _span_in_words(read_offset(rule.repeat_every), rule.day_unit)
        pattern = _("%(when)s; again every %(every)s")
        if rule.is_for_answers:
            pattern = _("%(when)s; again every %(every)s until there is an answer")
        words = pattern % {"when": words, "every": every}
    if rule.repeat_every and rule.repeat_until:
        last = _distance_or_moment(read_offset(rule.repeat_until), rule)
        words = _("%(when)s, not later than %(last)s") % {"when": words, "last": last}
    return words


def _distance_or_moment(offset: Offset, rule: ReminderRule) -> str:
    """Return how far from its event a rule's moment lies, or which moment of the event it is."""
    is_end = rule.anchor == Anchor.END
    if not offset.days and not offset.minutes:
        return _moment_in_words(is_end=is_end, is_day=rule.at_time is not None)
    words = distance_in_words(offset, rule.day_unit)
    return _("%(distance)s (counted from the end)") % {"distance": words} if is_end else words


def _moment_in_words(*, is_end: bool, is_day: bool) -> str:
    """Return which moment of an event it is, or which day: "when it begins"."""
    if is_day:
        return _("on the day it ends") if is_end else _("on the day it begins")
    return _("when it ends") if is_end else _("when it begins")


def distance_in_words(offset: Offset, day_unit: str) -> str:
    """Return "7 days before", "2 hours after", "when it is due"."""
    if not offset.days and not offset.minutes:
        return _("when it is due")
    words = _("%(span)s before")
    if offset.days > 0 or offset.minutes > 0:
        words = _("%(span)s after")
    return words % {"span": _span_in_words(offset, day_unit)}


def _span_in_words(offset: Offset, day_unit: str) -> str:
    days, minutes = abs(offset.days), abs(offset.minutes)
    hours, rest = divmod(minutes, 60)
    parts = []
    if days and day_unit == DayUnit.WORKING:
        parts.append(ngettext("%(n)d working day", "%(n)d working days", days) % {"n": days})
    elif days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if rest:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", rest) % {"n": rest})
    return " ".join(parts)


def step_in_words(step: ChaseStep | StandardDuty) -> str:
    """Return when a step is taken, or a standard duty is due."""
    words = distance_in_words(read_offset(step.offset), step.day_unit)
    if step.at_time is None:
        return words
    pattern = _("%(distance)s, at %(clock)s")
    return pattern % {"distance": words, "clock": clock_in_words(step.at_time)}


def origin_in_words(rule: ReminderRule, language: str) -> str:
    """Return what a rule stands on."""
    owner: Any = rule.owner
    name = localized(owner, "title" if hasattr(owner, "title_zh") else "name", language)
    pattern = {
        "event": _("event “%(name)s”"),
        "type": _("events of type “%(type)s”, %(name)s"),
        "work_area": _("area of work “%(name)s”"),
        "plan": _("plan “%(name)s”"),
        "alliance": _("alliance “%(name)s”"),
    }[rule.level]
    return pattern % {"name": name, "type": rule.event_type}


def unsettled_in_words(unsettled: Iterable[tuple[str, int]]) -> list[str]:
    """Return a sentence for each country and year whose working days are not laid down."""
    found = []
    for country, year in unsettled:
        if country:
            words = _(
                "The working days of %(year)d in %(country)s are not laid down yet: the date may "
                "move once they are."
            )
            found.append(words % {"year": year, "country": country})
        else:
            words = _("Whose working days count is not known; weekends alone are counted.")
            found.append(words)
    return list(dict.fromkeys(found))
