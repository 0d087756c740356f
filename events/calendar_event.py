"""What calendars show of an event: its values, and how they are put into words. Pure.

What each level of disclosure adds: ``member`` the online link and the contact, ``secretariat``
also the internal notes. ``public`` never holds any of them.

The words stand here and not in the message catalogues, because rendered calendar text is stored:
it must be the same bytes whichever process makes it, at whatever time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from coordination.bilingual import CHINESE, language_or_default, text_in
from events.zones import UTC_NAMES, instant_of, wall_of, zone_named


class Level(StrEnum):
    """How much of an event a reader of the text may know."""

    PUBLIC = "public"
    MEMBER = "member"
    SECRETARIAT = "secretariat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text in both languages; either may be empty."""

    zh: str = ""
    en: str = ""

    def text(self, language: str) -> str:
        """Return the text in ``language``, or the other one when it is empty."""
        return text_in(language, self.zh, self.en)


NO_WORDS: Final = Words()


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time as agreed: what the clocks in a zone show.

    Attributes:
        starts: Naive wall time of the beginning, inclusive.
        ends: Naive wall time of the end, exclusive.
        zone: IANA name.
        is_all_day: Only the dates count; the end is then the first midnight not included.
    """

    starts: datetime
    ends: datetime
    zone: str
    is_all_day: bool = False

    @cached_property
    def starts_at(self) -> datetime:
        """First instant, UTC."""
        return instant_of(self.starts, self.zone)

    @cached_property
    def ends_at(self) -> datetime:
        """First instant after the end, UTC."""
        return instant_of(self.ends, self.zone)

    @property
    def first_on(self) -> date:
        """First day, in the span's own zone."""
        return self.starts.date()

    @property
    def last_on(self) -> date:
        """Last day, included, in the span's own zone; an end at midnight is not that day."""
        is_midnight = self.ends.time() == time()
        return max(self.first_on, self.ends.date() - timedelta(days=is_midnight))


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """All values of an event that any calendar shows.

    Attributes:
        ical_uid: UID in every channel, for life.
        sequence: Raised whenever time, place or state changes (RFC 5546 section 2.1.4).
        created_at: Aware.
        changed_at: Time of the last change, aware.
        state: planned, scheduled, confirmed, held, postponed or cancelled.
        span: The agreed time, or None.
        previous: The time agreed before, or None.
        reason: Why it was postponed or cancelled.
        format: onsite, online or hybrid.
        latitude: Degrees north, with ``longitude`` or not at all.
        longitude: Degrees east.
        hosts: Names of the hosts, in order.
        organizer: Who publishes, such as the alliance's secretariat.
        organizer_uri: ``mailto:`` or other URI of the publisher.
        plan_uid: The plan it stands in; empty without one.
        home_zone: Zone of the alliance, named beside the event's own where they differ.
        url: The event's page.
        online_url: For members and the secretariat only.
        contact: For members and the secretariat only.
        notes: For the secretariat only.
    """

    ical_uid: str
    sequence: int
    created_at: datetime
    changed_at: datetime
    state: str
    title: Words
    organizer: Words
    organizer_uri: str
    url: str
    home_zone: str
    span: Span | None = None
    previous: Span | None = None
    reason: str = ""
    description: Words = NO_WORDS
    type_text: str = ""
    format: str = "onsite"
    place: Words = NO_WORDS
    address: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    plan_uid: str = ""
    work_area: Words = NO_WORDS
    hosts: tuple[Words, ...] = ()
    online_url: str = ""
    contact: str = ""
    notes: str = ""

    @property
    def shown_span(self) -> Span | None:
        """The span that calendars show: without a new date, the old one."""
        return self.span or self.previous

    @property
    def tzid(self) -> str:
        """The zone that the text refers to; empty for dates and for UTC."""
        span = self.shown_span
        if span is None or span.is_all_day or span.zone in UTC_NAMES:
            return ""
        return span.zone

    @property
    def takes_time(self) -> bool:
        """Whether people are busy in the span shown."""
        return self.span is not None and self.state not in {"planned", "cancelled"}


MARKS: Final = {
    "postponed": Words(zh="【延期】{title}", en="Postponed: {title}"),
    "cancelled": Words(zh="【已取消】{title}", en="Cancelled: {title}"),
}
_NOTICES: Final = {
    "planned": Words(
        zh="时间为计划时段，具体时间待定。",
        en="The time shown is the planned period; the exact time is not yet set.",
    ),
    "cancelled": Words(zh="本活动已取消。", en="This event is cancelled."),
}
_POSTPONED: Final = Words(zh="本活动延期举行。", en="This event is postponed.")
_POSTPONED_UNTIL_FURTHER_NOTICE: Final = Words(
    zh="本活动延期，新的时间另行通知。",
    en="This event is postponed. A new date will be announced.",
)
LABELS: Final = {
    "reason": Words(zh="原因：{}", en="Reason: {}"),
    "previous": Words(zh="原定时间：{}", en="Originally: {}"),
    "time": Words(zh="时间：{}", en="Time: {}"),
    "type": Words(zh="活动类型：{}", en="Type: {}"),
    "hosts": Words(zh="主办/承办单位：{}", en="Hosts: {}"),
    "online": Words(zh="线上参加：{}", en="Join online: {}"),
    "contact": Words(zh="联系方式：{}", en="Contact: {}"),
    "notes": Words(zh="内部备注：{}", en="Internal notes: {}"),
    "url": Words(zh="详情：{}", en="Details: {}"),
}
FACT_LABELS: Final = ("time", "type", "hosts", "online", "contact", "notes", "url")
"""The labels of the facts below a description, in order; the last one is always there."""

NOTICES: Final = (*_NOTICES.values(), _POSTPONED, _POSTPONED_UNTIL_FURTHER_NOTICE)
"""Sentences with which a description may begin."""

_COMMA: Final = Words(zh="，", en=", ")
_SEMICOLON: Final = Words(zh="；", en="; ")
_PARENTHESES: Final = Words(zh="{}（{}）", en="{} ({})")
_LIST: Final = Words(zh="、", en=", ")
_DATE_TO_DATE: Final = Words(zh="{}至{}", en="{} – {}")
_DATE_AND_CLOCK: Final = Words(zh="{}{}", en="{}, {}")
_ONLINE: Final = Words(zh="线上", en="Online")
_ALL_DAY: Final = Words(zh="全天", en="all day")
_ZONES: Final = {"Asia/Shanghai": Words(zh="北京时间", en="Beijing time")}
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def mark_title(event: CalendarEvent, *, language: str) -> str:
    """Return the title, with its state in words where people must not overlook it."""
    title = event.title.text(language)
    mark = MARKS.get(event.state)
    return mark.text(language).format(title=title) if mark else title


def describe_place(event: CalendarEvent, *, language: str) -> str:
    """Return place and address in one line; the word for online where there is neither."""
    where = _COMMA.text(language).join(filter(None, (event.place.text(language), event.address)))
    if not where and event.format == "online":
        return _ONLINE.text(language)
    return where


def disclosed(event: CalendarEvent, level: Level) -> tuple[str, str, str]:
    """Return online link, contact and notes, empty where ``level`` may not know them.

    Levels that are told the same here are told the same of the whole event.
    """
    online, contact = ("", "") if level == Level.PUBLIC else (event.online_url, event.contact)
    notes = event.notes if level == Level.SECRETARIAT else ""
    return online, contact, notes


def describe_event(event: CalendarEvent, *, language: str, level: Level) -> str:
    """Return what a reader of ``level`` should know beyond title, place and time.

    The time is said in words too, in the event's zone and, where clocks there show another time,
    in the alliance's: a copied or printed entry then still says which clock is meant.
    """
    paragraphs = (
        news_lines(event, language=language),
        iter((event.description.text(language).strip(),)),
        fact_lines(event, language=language, level=level),
    )
    texts = ("\n".join(filter(None, lines)) for lines in paragraphs)
    return "\n\n".join(filter(None, texts))


def describe_span(span: Span, *, language: str, home_zone: str) -> str:
    """Return a span in words, in its own zone and, where that differs, in ``home_zone``."""
    if span.is_all_day:
        days = _days(span.first_on, span.last_on, language)
        return _PARENTHESES.text(language).format(days, _ALL_DAY.text(language))
    texts = [_hours(span, span.zone, language)]
    if wall_of(span.starts_at, home_zone) != wall_of(span.starts_at, span.zone):
        texts.append(_hours(span, home_zone, language))
    return _SEMICOLON.text(language).join(texts)


def news_lines(event: CalendarEvent, *, language: str) -> Iterator[str]:
    """Yield what changed: the state, why, and the time that no longer holds."""
    has_moved = event.previous is not None and event.previous != event.span
    if event.state == "postponed":
        notice = _POSTPONED if event.span else _POSTPONED_UNTIL_FURTHER_NOTICE
        yield notice.text(language)
    elif event.state in _NOTICES:
        yield _NOTICES[event.state].text(language)
    if has_moved or event.state in {"postponed", "cancelled"}:
        yield _labelled("reason", event.reason, language)
    if event.previous is not None and has_moved:
        old = describe_span(event.previous, language=language, home_zone=event.home_zone)
        yield _labelled("previous", old, language)


def fact_lines(event: CalendarEvent, *, language: str, level: Level) -> Iterator[str]:
    """Yield one line for each thing known, as far as ``level`` may know it."""
    if event.span is not None:
        when = describe_span(event.span, language=language, home_zone=event.home_zone)
        yield _labelled("time", when, language)
    yield _labelled("type", event.type_text, language)
    names = filter(None, (host.text(language) for host in event.hosts))
    yield _labelled("hosts", _LIST.text(language).join(names), language)
    for label, value in zip(("online", "contact", "notes"), disclosed(event, level), strict=True):
        yield _labelled(label, value, language)
    yield _labelled("url", event.url, language)


def _labelled(label: str, value: str, language: str) -> str:
    """Return ``value`` behind its label, or nothing without a value."""
    value = value.strip()
    return LABELS[label].text(language).replace("{}", value) if value else ""


def _days(first: date, last: date, language: str) -> str:
    """Return one day, or the first and the last of several."""
    if first == last:
        return _day(first, language)
    return _DATE_TO_DATE.text(language).format(_day(first, language), _day(last, language))


def _day(day: date, language: str) -> str:
    """Return a date with its year; in the same words on every machine."""
    if language_or_default(language) == CHINESE:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _hours(span: Span, zone: str, language: str) -> str:
    """Return a timed span on the clocks of ``zone``, which is named with its offset."""
    starts, ends = wall_of(span.starts_at, zone), wall_of(span.ends_at, zone)
    joined = _DATE_AND_CLOCK.text(language)
    until = f"{ends:%H:%M}"
    if ends.date() != starts.date():
        until = joined.format(_day(ends.date(), language), until)
    hours = joined.format(_day(starts.date(), language), f"{starts:%H:%M}–{until}")
    if zone in UTC_NAMES:
        return _PARENTHESES.text(language).format(hours, "UTC")
    name = _ZONES[zone].text(language) if zone in _ZONES else zone
    clock = _COMMA.text(language).join((name, _offset(span.starts_at, zone)))
    return _PARENTHESES.text(language).format(hours, clock)


def _offset(at: datetime, zone: str) -> str:
    """Return a zone's offset at an instant, such as ``UTC+8`` or ``UTC-3:30``."""
    offset = at.astimezone(zone_named(zone)).utcoffset() or timedelta(0)
    minutes = offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")
