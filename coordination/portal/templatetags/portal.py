"""Tags for the frame and for texts in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.context import Context
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alliances.rules import is_secretariat_anywhere
from coordination.bilingual import localized, text_in
from coordination.deliveries.freshness import Condition, trouble_now
from coordination.deliveries.inbox import unread_count
from coordination.deliveries.reason_words import reason_in_words
from coordination.pages.answers import viewer_of
from coordination.pages.wording import (
    day_in_words,
    days_in_words,
    month_in_words,
    month_name,
    span_in_words,
    zone_name,
)

register = template.Library()


@dataclass(frozen=True, slots=True)
class NavEntry:
    """An entry of the main navigation."""

    label: str
    address: str
    is_here: bool
    is_exact: bool


@register.simple_tag(takes_context=True)
def main_nav(context: Context) -> list[NavEntry]:
    """Return the main navigation, with the entry marked that the page belongs to."""
    request = context.get("request")
    path = request.path if request is not None else ""
    entries = (
        (_("Calendar"), "/calendar/"),
        (_("Annual plans"), "/plans/"),
        (_("Alliances"), "/alliances/"),
        (_("Members"), "/members/"),
        (_("Reminders"), "/reminders/"),
        (_("Subscriptions and API"), "/connect/"),
    )
    in_plan = "/plans/" in path
    return [
        NavEntry(
            label=label,
            address=address,
            is_here=(address == "/plans/") if in_plan else path.startswith(address),
            is_exact=path == address,
        )
        for label, address in entries
    ]


@register.simple_tag(takes_context=True)
def unread_messages(context: Context) -> int:
    """Return how many messages in the reader's inbox are unread."""
    request = context.get("request")
    if request is None or not hasattr(request, "viewer"):
        return 0
    return unread_count(viewer_of(request))


@register.simple_tag(takes_context=True)
def is_staff(context: Context) -> bool:
    """Return whether the reader works in some secretariat; no query."""
    request = context.get("request")
    if request is None or not hasattr(request, "viewer"):
        return False
    return is_secretariat_anywhere(viewer_of(request))


@register.simple_tag(takes_context=True)
def staff_trouble(context: Context) -> Condition | None:
    """Return what is wrong with the mail, to staff; None for others and while all is well.

    With the page itself and not by a script: whoever has none must see it too.
    """
    return trouble_now() if is_staff(context) else None


@register.simple_tag(takes_context=True)
def with_query(context: Context, **values: Any) -> str:
    """Return this page's address with query values set, or taken out where they are empty."""
    request = context.get("request")
    if request is None:
        return "?"
    query = request.GET.copy()
    for name, value in values.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else request.path


@register.filter
def words(obj: Any, name: str) -> str:
    """Return the text pair `name` of an object in the reader's language; "" without one."""
    if not obj:
        return ""
    return localized(obj, name, get_language() or "")


@register.simple_tag
def either(zh: str, en: str) -> str:
    """Return the text in the reader's language, or the other one."""
    return text_in(get_language() or "", zh, en)


@register.filter
def day(value: date | None) -> str:
    """Return a day with its year in the reader's language; "" without one."""
    return day_in_words(value, language=get_language() or "", with_year=True) if value else ""


@register.simple_tag
def day_range(first: date | None, last: date | None) -> str:
    """Return days from `first` to `last`, included, with the year."""
    if first is None or last is None:
        return ""
    return days_in_words(first, last, language=get_language() or "", with_year=True)


@register.filter
def year_month(value: tuple[int, int]) -> str:
    """Return a (year, month) pair in the reader's language."""
    return month_in_words(*value, language=get_language() or "")


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None) -> str:
    """Return an instant on the reader's clock: "2024年5月14日 09:30"."""
    if value is None:
        return ""
    zone = ZoneInfo(viewer_of(context["request"]).time_zone)
    here = value.astimezone(zone)
    return (
        f"{day_in_words(here.date(), language=get_language() or '', with_year=True)} {here:%H:%M}"
    )


@register.simple_tag(takes_context=True)
def hour(context: Context, value: datetime) -> str:
    """Return the hour that began at `value`, for what is kept to the hour only.

    As an instant, "09:00" would be read as before what was made at 09:40.
    """
    here = value.astimezone(ZoneInfo(viewer_of(context["request"]).time_zone))
    return span_in_words(here, here + timedelta(hours=1), language=get_language() or "")


@register.filter
def reason(code: str) -> str:
    """Return what the code of a delivery or an attempt means, in the reader's language."""
    return reason_in_words(code)


@register.filter
def zone(name: str) -> str:
    """Return what people call a zone, in the reader's language."""
    return zone_name(name, language=get_language() or "")


@register.simple_tag
def span_words(starts: datetime, ends: datetime, all_day: bool = False) -> str:
    """Return a stretch of time as clocks in one zone show it."""
    return span_in_words(starts, ends, language=get_language() or "", is_all_day=all_day)


@register.simple_tag
def month_label(month: tuple[int, int], months: tuple[tuple[int, int], ...]) -> str:
    """Return a month's name for the head of a board; with the year where the years change."""
    name = month_name(month[1], language=get_language() or "")
    first = months[0]
    if first[0] != months[-1][0] and (month == first or month[1] == 1):
        words = f"{name} {month[0]}" if get_language() == "en" else f"{month[0]}年{name}"
        return words.replace(" ", "\N{NO-BREAK SPACE}")
    return name
