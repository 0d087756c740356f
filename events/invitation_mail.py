"""Invitations as a source of deliveries: the last look, and the words in mail.

A message is told in words, in HTML and as a calendar part (RFC 6047), which say the same. The
calendar part stands among the alternatives, where calendars look for it, and is attached once
more for programs that only look there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Q, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from coordination.bilingual import CHINESE, language_or_default, localized, text_in
from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Item, Part, Rendered
from coordination.pages.wording import day_in_words
from events.answer_links import answer_url, reply_address
from events.asking import asked_for, is_asked, is_asked_otherwise, is_wanted, people_asked
from events.calendar_event import Span, describe_place, describe_span
from events.calendar_values import calendar_event, publisher_address
from events.entries import SOURCE
from events.invitation_notices import has_it_already, last_time_told, requests_got
from events.itip import Attendee, Method, itip_message
from events.models import (
    Answer,
    AnswerState,
    Invitation,
    InvitationNotice,
    Invitee,
    NoticeMethod,
)
from events.told_times import answers_this_time, span_told, time_text

PARTSTAT = {
    AnswerState.NEEDS_ACTION: "NEEDS-ACTION",
    AnswerState.ACCEPTED: "ACCEPTED",
    AnswerState.TENTATIVE: "TENTATIVE",
    AnswerState.DECLINED: "DECLINED",
    AnswerState.DELEGATED: "DELEGATED",
    AnswerState.OTHER_DATE: "TENTATIVE",
}
OFFERED = (
    AnswerState.ACCEPTED,
    AnswerState.TENTATIVE,
    AnswerState.DECLINED,
    AnswerState.DELEGATED,
    AnswerState.OTHER_DATE,
)


class Invitations:
    """The source "invitation": one cause is one invitation, one generation of it a notice."""

    kind = SOURCE
    news: ClassVar[str] = "invitations"

    def fire_next(self, at: datetime) -> bool:
        """Fire nothing: notices come from the change log."""
        return False

    def oldest_due_at(self, at: datetime) -> datetime | None:
        """Return None: nothing waits here."""
        return None

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        """Return why the message is no longer wanted, or ""."""
        notice = _notice_of(delivery)
        if notice is None:
            return "invitation_gone"
        invitation, event = notice.invitation, notice.invitation.event
        to_them = Q(person__isnull=True) | Q(person__uid=_uid_of(reader))
        if invitation.notices.filter(to_them, number__gt=notice.number).exists():
            return "newer_notice"
        if notice.method == NoticeMethod.CANCEL:
            return _why_not_off(notice, reader, at)
        if invitation.withdrawn_at is not None:
            return "invitation_withdrawn"
        if notice.sequence != event.sequence or not is_wanted(invitation, at=at):
            return f"event_{event.state}" if event.is_over else "event_moved"
        wanted = people_asked(invitation, at=at).filter(recipient=delivery.recipient)
        if not wanted.exists():
            return "no_longer_concerned"
        return "has_it_already" if has_it_already(notice, recipient=delivery.recipient) else ""

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        """Write the message in the reader's language, with the event's zone and the reader's."""
        delivery = max(deliveries, key=lambda row: row.generation)
        notice = _notice_of(delivery)
        if notice is None:
            raise ValueError(f"{delivery} tells of no notice")
        prefetch_related_objects([notice], "invitation__event__hosts__organization")
        invitee = notice.invitation.invitees.filter(person__uid=_uid_of(reader)).first()
        letter = _Letter(
            notice=notice,
            invitee=invitee,
            reader=reader,
            language=language_or_default(reader.language),
            answer=last_answer(notice),
            got=requests_got(notice, recipient=reader.recipient),
            at=at,
            stays=notice.method == NoticeMethod.CANCEL
            and is_asked_otherwise(notice.invitation, _uid_of(reader), at=at),
        )
        with override(letter.language):
            return letter.rendered()


def last_answer(notice: InvitationNotice) -> Answer | None:
    """Return the answer that counts for the time that a notice tells; None when none does."""
    invitation = notice.invitation
    if invitation.state == AnswerState.NEEDS_ACTION:
        return None
    answer: Answer | None = invitation.answers.order_by("-pk").first()
    told = [one for one in invitation.notices.all() if one.number <= notice.number]
    return answer if answer is not None and answers_this_time(answer, told) else None


def facts_of(invitation: Invitation, *, language: str, zone: str) -> dict[str, Any]:
    """Return what whoever is invited may know of the event, in words: nothing of anybody else.

    Args:
        invitation: with its event, alliance and organization.
        language: of the reader.
        zone: of the reader; times are told on their clocks too where those differ.
    """
    event = invitation.event
    values = calendar_event(event)
    joint = "、" if language == CHINESE else ", "
    previous = event.previous_span if event.state == "postponed" else None
    by = invitation.answer_by
    return {
        "title": localized(event, "title", language),
        "alliance": localized(event.alliance, "name", language),
        "publisher": values.organizer.text(language),
        "organization": localized(invitation.organization, "name", language),
        "is_postponed": event.state == "postponed",
        "is_moved": False,
        "when": _when(event.span, language, zone),
        "before": _when(previous, language, zone) if previous != event.span else "",
        "reason": event.reason if event.state in ("postponed", "cancelled") else "",
        "place": describe_place(values, language=language),
        "hosts": joint.join(host.text(language) for host in values.hosts),
        "online_url": event.online_url,
        "contact": event.contact,
        "answer_by": day_in_words(by, language=language, with_year=True) if by else "",
        "url": values.url,
    }


def _when(span: Span | None, language: str, zone: str) -> str:
    return "" if span is None else describe_span(span, language=language, home_zone=zone)


@dataclass(frozen=True, slots=True)
class _Letter:
    """One notice, to one reader.

    Attributes:
        answer: the one that counts for the time told; None when none does.
        at: instant of the first try.
        got: the requests that the reader has, oldest first: with one, this is an update.
        stays: this takes an invitation back, and the event stays in their calendar all the same.
    """

    notice: InvitationNotice
    invitee: Invitee | None
    reader: Reader
    language: str
    answer: Answer | None
    at: datetime
    got: Sequence[InvitationNotice]
    stays: bool

    @property
    def has_left(self) -> bool:
        """Whether this takes the event from somebody who stopped answering, from them alone."""
        is_off = self.notice.method == NoticeMethod.CANCEL
        return is_off and self.notice.person_id is not None

    def rendered(self) -> Rendered:
        """Return the mail."""
        context = self._context()
        is_off = self.notice.method == NoticeMethod.CANCEL
        name = "invitation_off" if is_off else "invitation"
        method = Method.CANCEL if is_off else Method.REQUEST
        calendar = self._calendar(method).encode()
        parts = (
            Part(calendar, f"text/calendar; method={method}"),
            Part(calendar, "application/ics", "cancel.ics" if is_off else "invite.ics"),
        )
        return Rendered(
            subject=context["subject"],
            text=render_to_string(f"events/mail/{name}.txt", context),
            html=render_to_string(f"events/mail/{name}.html", context),
            language=self.language,
            reply_to=self._reply_to(),
            items=(
                Item(context["subject"], context["place"], context["answer_url"] or context["url"]),
            ),
            parts=() if self.stays else parts,
        )

    def _context(self) -> dict[str, Any]:
        invitation = self.notice.invitation
        facts = facts_of(invitation, language=self.language, zone=self.reader.time_zone)
        facts |= self._as_they_knew_it() if self.has_left else self._move()
        return facts | {
            "reader": self.reader,
            "language": self.language,
            "subject": self._subject(facts["title"], facts["when"]),
            "is_update": bool(self.got),
            "has_left": self.has_left,
            "has_successor": self.has_left and people_asked(invitation, at=self.at).exists(),
            "is_withdrawn": not invitation.event.is_over,
            "stays": self.stays,
            "answered": self.answer.get_state_display() if self.answer is not None else "",
            "choices": self._choices(),
            "others": self._others() if self.notice.method == NoticeMethod.REQUEST else "",
            "answer_url": answer_url(self.invitee) if self.invitee is not None else "",
        }

    def _move(self) -> dict[str, Any]:
        """Return what tells this reader that the time is another than they were told, and why."""
        event = self.notice.invitation.event
        told = last_time_told(self.got)
        is_request = self.notice.method == NoticeMethod.REQUEST
        if not told or event.span is None or not is_request or told == time_text(event):
            return {}
        before = _when(span_told(told), self.language, self.reader.time_zone)
        return {"is_moved": True, "before": before, "reason": event.reason}

    def _as_they_knew_it(self) -> dict[str, Any]:
        """Return the time that the reader was told last: a newer one does not concern them."""
        told = span_told(last_time_told(self.got))
        when = _when(told, self.language, self.reader.time_zone)
        return {"when": when, "before": "", "reason": ""}

    def _choices(self) -> list[dict[str, str]]:
        if self.invitee is None:
            return []
        url = answer_url(self.invitee)
        return [
            {"state": state.value, "words": words, "url": f"{url}?as={state.value}"}
            for state, words in zip(OFFERED, choice_words(), strict=True)
        ]

    def _others(self) -> str:
        """Return the other organizations for which the reader is asked to the event, in words."""
        invitation = self.notice.invitation
        rows = asked_for(invitation.event, _uid_of(self.reader), at=self.at)
        joint = "、" if self.language == CHINESE else ", "
        return joint.join(
            localized(row.organization, "name", self.language)
            for row in rows
            if row.pk != invitation.pk
        )

    def _subject(self, title: str, when: str) -> str:
        event = self.notice.invitation.event
        if self.has_left:
            return _("No longer yours to answer: %(title)s") % {"title": title}
        if self.notice.method == NoticeMethod.CANCEL:
            if event.is_over:
                return _("Cancelled: %(title)s") % {"title": title}
            return _("Invitation withdrawn: %(title)s") % {"title": title}
        if self.got:
            if not when:
                return _("Postponed: %(title)s, a new date will follow") % {"title": title}
            return _("Updated invitation: %(title)s, %(when)s") % {"title": title, "when": when}
        if not when:
            return _("Invitation: %(title)s, a new date will follow") % {"title": title}
        return _("Invitation: %(title)s, %(when)s") % {"title": title, "when": when}

    def _reply_to(self) -> str:
        own = reply_address(self.invitee) if self.invitee is not None else ""
        return own or self.notice.invitation.event.alliance.email

    def _calendar(self, method: Method) -> str:
        event = self.notice.invitation.event
        answer = self.answer
        state = AnswerState(answer.state) if answer is not None else AnswerState.NEEDS_ACTION
        return itip_message(
            calendar_event(event),
            method=method,
            attendee=Attendee(
                name=self.reader.name, address=self.reader.address, partstat=PARTSTAT[state]
            ),
            reply_to=(reply_address(self.invitee) if self.invitee is not None else "")
            or publisher_address(event.alliance),
            stamp_at=self.notice.stamp_at,
            language=self.language,
            is_off=event.is_over,
        )


def choice_words() -> tuple[str, str, str, str, str]:
    """Return what the answers offered are called on buttons, in the language that is active."""
    return (
        _("We come"),
        _("Perhaps"),
        _("We cannot come"),
        _("Others come for me"),
        _("Another date, please"),
    )


def name_of_invitee(invitee: Invitee, language: str) -> str:
    """Return how the person is called; "" when no name is kept."""
    details = getattr(invitee.person, "details", None)
    return text_in(language, details.name_zh, details.name_en) if details is not None else ""


def _why_not_off(notice: InvitationNotice, reader: Reader, at: datetime) -> str:
    """Return why a CANCEL is no longer wanted, or ""."""
    invitation, uid = notice.invitation, _uid_of(reader)
    if not requests_got(notice, recipient=reader.recipient):
        return "was_never_asked"
    if notice.person_id is not None:
        return "asked_again" if is_asked(invitation.event, uid, at=at) else ""
    was_merged = invitation.organization.merged_into_id is not None
    stays = was_merged and is_asked_otherwise(invitation, uid, at=at)
    return "asked_otherwise" if stays else ""


def _notice_of(delivery: Delivery) -> InvitationNotice | None:
    found: InvitationNotice | None = (
        InvitationNotice.objects.filter(
            invitation=int(delivery.source_id), number=delivery.generation
        )
        .select_related(
            "invitation__event__alliance",
            "invitation__event__plan",
            "invitation__event__work_area",
            "invitation__organization",
        )
        .first()
    )
    return found


def _uid_of(reader: Reader) -> str:
    return reader.recipient.partition(":")[2]
