"""Which time of an event people were told: an answer is one to that, and to no other.

A notice keeps the time that it told as text, so that it can be told whether the event still has it.
A mere confirmation raises SEQUENCE and moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

from events.calendar_event import Span
from events.models import Answer, Event, InvitationNotice


def time_text(event: Event) -> str:
    """Return the event's time, to see whether it is still the same; "" without one."""
    if event.starts_wall is None or event.ends_wall is None:
        return ""
    return f"{event.starts_wall:%Y-%m-%dT%H:%M}/{event.ends_wall:%Y-%m-%dT%H:%M}/{event.time_zone}"


def span_told(text: str) -> Span | None:
    """Return the span that a time told stands for; midnight to midnight is whole days."""
    if not text:
        return None
    starts, ends, zone = text.split("/", 2)
    first, last = datetime.fromisoformat(starts), datetime.fromisoformat(ends)
    return Span(
        starts=first, ends=last, zone=zone, is_all_day={first.time(), last.time()} == {time()}
    )


def time_told(notices: Iterable[InvitationNotice], *, sequence: int) -> str | None:
    """Return the time that the last of these notices up to a SEQUENCE told; None without one."""
    until = [notice for notice in notices if notice.sequence <= sequence]
    return max(until, key=lambda notice: notice.number).time_text if until else None


def sequence_answered(
    notices: Iterable[InvitationNotice], *, said: int | None, written_at: datetime
) -> int | None:
    """Return the SEQUENCE that a reply answers; None where nobody was told anything.

    One that says none, or one before the first that was sent (some programs always write 0),
    answers what had been told when it was written; one that says more than was sent, the last.

    Args:
        notices: of one invitation.
        said: SEQUENCE of the reply; None where it is left out.
        written_at: when the reply was written.
    """
    sent = sorted((notice.sequence, notice.stamp_at) for notice in notices)
    if not sent:
        return None
    (first, _at), (last, _last_at) = sent[0], sent[-1]
    if said is not None and said >= first:
        return min(said, last)
    return max((number for number, stamp in sent if stamp <= written_at), default=first)


def answers_this_time(answer: Answer, notices: Iterable[InvitationNotice]) -> bool:
    """Whether the time was the same when it was answered.

    Args:
        answer: to an invitation.
        notices: of that invitation; the one with the highest number tells the time now.
    """
    told = list(notices)
    last = max(told, key=lambda notice: notice.number, default=None)
    if last is None or answer.sequence >= last.sequence:
        return True
    return time_told(told, sequence=answer.sequence) == last.time_text
