"""Write a duty as a VTODO (RFC 5545 section 3.6.2). Pure.

Like a VEVENT of this house (`events.vevent`), the text depends on nothing but the values passed
in: two renderings are the same bytes. A duty is read by those who owe it and by the secretariat
that set it, so there is one level of disclosure.

The deadline is written in the zone of whoever reads it, because a day's end in Geneva is another
instant than one in Beijing; `DutyValues.tzid` names the VTIMEZONE that must go with the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from events.calendar_event import NO_WORDS, Span, Words, describe_span
from events.vevent import escaped, folded, one_line, parameter, uri, utc_text
from events.zones import UTC_NAMES, instant_of, wall_of

TASKS: Final = {
    "name_date": Words(zh="确定日期", en="Name a date"),
    "send_agenda": Words(zh="报送议程", en="Send the agenda"),
    "name_delegates": Words(zh="报送参会名单", en="Name delegates"),
    "send_materials": Words(zh="报送材料", en="Send materials"),
    "send_minutes": Words(zh="报送纪要", en="Send the minutes"),
    "answer": Words(zh="答复邀请", en="Answer the invitation"),
}
"""What each kind of duty asks for; a kind that is not here is a programming error."""

_SUMMARY: Final = Words(zh="{task}：{title}", en="{task}: {title}")
_OWED_BY: Final = Words(zh="责任单位：{}", en="Owed by: {}")
_TIME: Final = Words(zh="活动时间：{}", en="Event: {}")
_DETAILS: Final = Words(zh="详情：{}", en="Details: {}")
_CANCELLED: Final = Words(
    zh="活动已取消，此任务不再需要办理。",
    en="The event is cancelled; nothing needs to be done.",
)


@dataclass(frozen=True, kw_only=True)
class DutyValues:
    """All values of a duty that a calendar shows.

    Attributes:
        uid: UID in every channel, for life: the duty's own.
        kind: One of `TASKS`.
        version: Of the duty, from 1; SEQUENCE follows it.
        created_at: When the duty was set, aware.
        changed_at: Time of the last change of the duty or of its event, whichever is later, aware.
        due_at: By when, aware.
        done_at: When it was done, aware, or None.
        zone: IANA zone in which the deadline is read: the organization's that owes it.
        organization: Who owes it.
        event_uid: The event's UID in calendars.
        event_state: The event's state; the duties of a cancelled one are cancelled.
        event_title: What the event is called.
        event_span: The event's time as agreed, or None.
        home_zone: Zone of the alliance, named beside the event's own where they differ.
        organizer: Who set the duty, such as the alliance's secretariat.
        organizer_uri: ``mailto:`` or other URI of theirs.
        url: The event's page, where the duty is dealt with.
    """

    uid: str
    kind: str
    version: int
    created_at: datetime
    changed_at: datetime
    due_at: datetime
    done_at: datetime | None
    zone: str
    organization: Words
    event_uid: str
    event_state: str
    event_title: Words
    organizer: Words
    organizer_uri: str
    url: str
    home_zone: str
    event_span: Span | None = None

    @property
    def tzid(self) -> str:
        """The zone that the text refers to; empty where it is written in UTC.

        That is also where clocks show the deadline a second time, after they were put back: a
        wall time means the first (RFC 5545 section 3.3.5).
        """
        is_plain = instant_of(wall_of(self.due_at, self.zone), self.zone) == self.due_at
        return self.zone if is_plain and self.zone not in UTC_NAMES else ""

    @property
    def due_on(self) -> date:
        """The day of the deadline in `zone`: the year that a VTIMEZONE must cover."""
        return wall_of(self.due_at, self.zone).date()

    @property
    def status(self) -> str:
        """NEEDS-ACTION, COMPLETED or CANCELLED (RFC 5545 section 3.8.1.11)."""
        if self.done_at is not None:
            return "COMPLETED"
        return "CANCELLED" if self.event_state == "cancelled" else "NEEDS-ACTION"


def vtodo(values: DutyValues, *, language: str) -> str:
    """Return the duty as one VTODO component in ``language``."""
    properties = (*_identity(values), *_progress(values), *_contents(values, language))
    lines = [folded(name, value) for name, value in properties]
    return "".join(("BEGIN:VTODO\r\n", *lines, "END:VTODO\r\n"))


def summary_of(values: DutyValues, *, language: str) -> str:
    """Return what is to be done, and for which event."""
    task, title = TASKS[values.kind].text(language), values.event_title.text(language)
    return one_line(_SUMMARY.text(language).format(task=task, title=title))


def _identity(values: DutyValues) -> Iterator[tuple[str, str]]:
    """Yield what tells one revision of a duty from another."""
    yield "UID", escaped(values.uid)
    yield "DTSTAMP", utc_text(values.changed_at)
    yield "CREATED", utc_text(values.created_at)
    yield "LAST-MODIFIED", utc_text(values.changed_at)
    yield "SEQUENCE", str(values.version - 1)


def _progress(values: DutyValues) -> Iterator[tuple[str, str]]:
    """Yield by when it is due, and whether it is done."""
    yield "STATUS", values.status
    if values.tzid:
        yield f"DUE;TZID={values.zone}", f"{wall_of(values.due_at, values.zone):%Y%m%dT%H%M%S}"
    else:
        yield "DUE", utc_text(values.due_at)
    if values.done_at is not None:
        yield "COMPLETED", utc_text(values.done_at)
        yield "PERCENT-COMPLETE", "100"


def _contents(values: DutyValues, language: str) -> Iterator[tuple[str, str]]:
    """Yield what people read, and what the duty belongs to."""
    yield "SUMMARY", escaped(summary_of(values, language=language))
    yield "DESCRIPTION", escaped("\n".join(_sentences(values, language)))
    yield "RELATED-TO", escaped(values.event_uid)
    common_name = parameter(values.organizer.text(language))
    yield f"ORGANIZER;CN={common_name}", uri(values.organizer_uri)
    yield "URL", uri(values.url)


def _sentences(values: DutyValues, language: str) -> Iterator[str]:
    """Yield the lines of the description."""
    if values.status == "CANCELLED":
        yield _CANCELLED.text(language)
    if values.organization != NO_WORDS:
        yield _OWED_BY.text(language).format(values.organization.text(language))
    if values.event_span is not None:
        when = describe_span(values.event_span, language=language, home_zone=values.home_zone)
        yield _TIME.text(language).format(when)
    yield _DETAILS.text(language).format(values.url)
