"""What can be asked of an event and of a plan: history, reminders, deliveries, progress."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from alliances.models import Plan
from coordination.accounts.languages import PARAMETER as LANG
from coordination.accounts.viewer import scopes_of
from coordination.bilingual import localized, pair
from coordination.changes.history import HistoryEntry, describe_changes
from coordination.changes.kinds import kind_named
from coordination.changes.models import Change, ChangeScope
from coordination.changes.refusals import NotVisible
from coordination.deliveries.models import Delivery
from coordination.rest.pagination import (
    CURSOR,
    OWN_PARAMETERS,
    cursor_for,
    page_of,
    page_parameters,
    requested_page,
)
from coordination.rest.problems import parameter_error
from coordination.rest.views import HouseView
from events import rules
from events.api.part_serializers import DeliveryReading, ProgressReading, envelope_of
from events.api.rule_readings import ReminderReading
from events.api.serializers import HistoryEntryReading
from events.models import Event, Reminder
from events.progress import Tally
from events.reporting import Progress, Row, report_progress

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
DAYS = (date(1900, 1, 1), date(2200, 12, 31))
ORDERING_ONLY = {"created": "pk"}
PAGE_PARAMETERS = [
    OpenApiParameter(
        parameter["name"],
        parameter["schema"],
        OpenApiParameter.QUERY,
        description=parameter["description"],
    )
    for parameter in page_parameters(ORDERING_ONLY, "-created")
]


class OneEventView(HouseView):
    """A list about one event, newest first, that is no resource of its own."""

    resource = "events"
    model: ClassVar[type[Model]]

    def known_parameters(self) -> frozenset[str]:
        """Return those of a list."""
        return OWN_PARAMETERS | {LANG}

    def event(self, uid: Any) -> Event:
        """Return the event.

        Raises:
            NotVisible: there is none that the viewer may see.
        """
        event: Event | None = Event.objects.visible_to(self.viewer).filter(uid=uid).first()
        if event is None:
            raise NotVisible
        return event

    def page(self, rows: QuerySet[Any]) -> HttpResponse:
        """Answer a page of rows."""
        query = self.request._request.GET
        page = requested_page(query, orderings=ORDERING_ONLY, default="-created", model=self.model)
        found, last = page_of(rows, ["pk"], page)
        following = None
        if last is not None:
            address = query.copy()
            address[CURSOR] = cursor_for(last, page.ordering)
            following = self.request.build_absolute_uri(
                f"{self.request.path}?{address.urlencode()}"
            )
        order = f"{'-' if page.ordering.descending else ''}pk"
        chosen = rows.filter(pk__in=[row[0] for row in found]).order_by(order)
        response = self.answer_tagged({"items": self.described(chosen), "next": following})
        if following:
            response["Link"] = f'<{following}>; rel="next"'
        return response

    def described(self, rows: QuerySet[Any]) -> Sequence[Mapping[str, Any]]:
        """Return the rows as they are shown."""
        raise NotVisible


class HistoryView(OneEventView):
    """What happened to an event, in words."""

    model = Change
    concealed: frozenset[str] = frozenset()

    @extend_schema(
        operation_id="events_history",
        parameters=PAGE_PARAMETERS,
        responses=envelope_of(HistoryEntryReading(), "HistoryPage"),
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the changes that the viewer may know of, newest first.

        What happened before an event was open to the viewer stays unknown, and so does what
        stands in fields that are not theirs to see.
        """
        event = self.event(kwargs["uid"])
        rows = Change.objects.filter(object_uid=event.uid)
        if not rules.may_see_notes(self.viewer, event):
            self.concealed |= {"notes"}
            numbers = ChangeScope.objects.filter(scope__in=scopes_of(self.viewer), after=True)
            rows = rows.filter(number__in=numbers.values("number"))
        if not rules.may_see_member_details(self.viewer, event):
            self.concealed |= {"online_url", "contact"}
        return self.page(rows)

    def described(self, rows: QuerySet[Change]) -> list[dict[str, Any]]:
        """Return the changes in words."""
        entries = describe_changes(list(rows), language=self.viewer.language, hidden=self.concealed)
        return [_entry(entry) for entry in entries]


def _entry(entry: HistoryEntry) -> dict[str, Any]:
    kind = kind_named(entry.kind)
    return {
        "number": entry.number,
        "kind": entry.kind,
        "words": entry.words,
        "words_i18n": pair(kind.zh, kind.en),
        "actor": entry.actor,
        "at": entry.at,
        "reason": entry.reason,
        "version": entry.version,
        "fields": [asdict(change) for change in entry.fields],
    }


class ReminderView(OneEventView):
    """Reminders of an event, for its secretariat."""

    model = Reminder

    @extend_schema(
        operation_id="events_reminders",
        parameters=PAGE_PARAMETERS,
        responses=envelope_of(ReminderReading(), "ReminderPage"),
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer what falls due, fell due, or is no longer needed."""
        event = self.event(kwargs["uid"])
        rules.require(rules.may_manage_event(self.viewer, event))
        return self.page(Reminder.objects.filter(event=event))

    def described(self, rows: QuerySet[Reminder]) -> list[dict[str, Any]]:
        """Return the reminders."""
        return [
            {
                "rule": reminder.rule.uid,
                "offset": reminder.rule.offset,
                "due_at": reminder.shown_at,
                "occurrence": reminder.occurrence,
                "state": reminder.state,
                "generation": reminder.generation,
                "fired_at": reminder.fired_at,
                "note": reminder.note,
            }
            for reminder in rows.select_related("rule")
        ]


class DeliveryView(OneEventView):
    """The ledger of an event, for its secretariat: who was told what."""

    model = Delivery

    @extend_schema(
        operation_id="events_deliveries",
        parameters=PAGE_PARAMETERS,
        responses=envelope_of(DeliveryReading(), "DeliveryPage"),
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer the lines of the ledger about an event."""
        event = self.event(kwargs["uid"])
        rules.require(rules.may_manage_event(self.viewer, event))
        return self.page(Delivery.objects.about(Event.object_type(), event.uid))

    def described(self, rows: QuerySet[Delivery]) -> list[dict[str, Any]]:
        """Return the lines with what became of their messages."""
        return [_delivery(row) for row in rows.select_related("message")]


def _delivery(row: Delivery) -> dict[str, Any]:
    message = row.message
    dropped = "dropped" if row.dropped_reason else "waiting"
    return {
        "source": row.source,
        "recipient": row.recipient,
        "channel": row.channel,
        "due_at": row.due_at,
        "send_after": row.send_after,
        "state": dropped if message is None or row.dropped_reason else message.state,
        "reason": row.dropped_reason or (message.reason if message is not None else ""),
        "attempts": message.attempts if message is not None else 0,
        "sent_at": message.sent_at if message is not None else None,
        "error": message.error if message is not None else "",
    }


class ProgressView(HouseView):
    """Plan against actual."""

    resource = "plans"
    parameters = frozenset({"on"})

    @extend_schema(
        operation_id="plans_progress",
        parameters=[
            OpenApiParameter("on", date, description="The day; today when it is left out.")
        ],
        responses=ProgressReading,
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer where each planned event stands at the end of a day."""
        plan = Plan.objects.visible_to(self.viewer).filter(uid=kwargs["uid"]).first()
        if plan is None:
            raise NotVisible
        on = _day(request._request.GET.get("on"), self.today)
        report = report_progress(plan, viewer=self.viewer, on=on)
        return self.answer_tagged(_progress(report, self.viewer.language))


def _day(text: str | None, today: date) -> date:
    """Return the day asked for.

    Raises:
        ProblemError: it is not a day.
    """
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not DAY.fullmatch(text) or not DAYS[0] <= day <= DAYS[1]:
        raise parameter_error("on", _("Write a day such as 2026-05-14."))
    return day


def _progress(report: Progress, language: str) -> dict[str, Any]:
    return {
        "plan": report.plan.uid,
        "on": report.on,
        "target_number": report.target_number,
        "short_of_target": report.short_of_target,
        "totals": asdict(report.totals),
        "by_work_area": [_group(row, totals, language) for row, totals in report.by_work_area],
        "by_member": [_group(row, totals, language) for row, totals in report.by_member],
        "items": [_progress_row(row, language) for row in report.rows],
    }


def _group(row: Any, totals: Tally, language: str) -> dict[str, Any]:
    named = {
        "uid": None if row is None else row.uid,
        "name": "" if row is None else localized(row, "name", language),
        "name_i18n": pair("", "") if row is None else pair(row.name_zh, row.name_en),
    }
    return named | asdict(totals)


def _progress_row(row: Row, language: str) -> dict[str, Any]:
    titled: Any = row.event or row.item
    return {
        "item": None if row.item is None else row.item.uid,
        "event": None if row.event is None else row.event.uid,
        "number": row.number,
        "title": localized(titled, "title", language),
        "title_i18n": pair(titled.title_zh, titled.title_en),
        "window_start": row.planned.first,
        "window_end": row.planned.last,
        "scheduled_on": row.actual.first,
        "held_on": row.actual.held_on,
        "status": row.status,
        "outcome": row.verdict.outcome,
        "days_late": row.verdict.days_late,
        "changed_quarter": row.verdict.changed_quarter,
        "is_added": row.is_added,
    }
