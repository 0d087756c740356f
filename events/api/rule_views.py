"""Reminder rules over the API: the rules, how they stand for an event, and trying one out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from alliances.models import Alliance, Plan, WorkArea
from coordination.bilingual import CHINESE, ENGLISH
from coordination.changes.refusals import InvalidInput, NotVisible, invalid
from coordination.deliveries.sources import Rendered
from coordination.rest.views import HouseView
from coordination.rest.viewsets import Changing, Creating, Deleting, ResourceViewSet
from events import rules
from events.api.filters import ReminderRuleFilters
from events.api.resolving import find_one
from events.api.rule_inputs import NewReminderRule, PreviewInput, ReminderRuleInput
from events.api.rule_readings import PreviewReading, ReminderRuleReading, StandingRulesReading
from events.foreseeing import foresee
from events.levels import Standing, standings
from events.models import Event, Reminder, ReminderRule
from events.previewing import Preview, preview_rule
from events.reminding import (
    add_reminder_rule,
    check_reminder_rule,
    draft_reminder_rule,
    remove_reminder_rule,
    revise_reminder_rule,
)
from events.rule_words import origin_in_words, rule_in_words, unsettled_in_words


class ReminderRuleViewSet(Creating, Changing, Deleting, ResourceViewSet):
    """When, and whom, to remind of events: the secretariat's business."""

    resource = "events"
    model = ReminderRule
    reading = ReminderRuleReading
    create_input = NewReminderRule
    change_input = ReminderRuleInput
    filterset_class = ReminderRuleFilters
    related = ("alliance", "plan", "work_area__plan", "event", "overrides")

    def perform_create(self, values: dict[str, Any]) -> ReminderRule:
        """Add a rule to an alliance, a plan, a work area or an event."""
        owner = self._owner(values)
        return add_reminder_rule(owner, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, obj: ReminderRule, values: dict[str, Any]) -> ReminderRule:
        """Change a rule; reminders that have not gone out follow it."""
        return revise_reminder_rule(obj, viewer=self.viewer, at=self.at, **values)

    def perform_delete(self, obj: ReminderRule, reason: str) -> None:
        """Remove a rule with its reminders."""
        remove_reminder_rule(obj, viewer=self.viewer, at=self.at)

    def _owner(self, values: dict[str, Any]) -> Any:
        """Take what the rule stands on out of the values.

        Raises:
            InvalidInput: none or several were named, or it is not open to the viewer.
        """
        levels = (("alliance", Alliance), ("plan", Plan), ("work_area", WorkArea), ("event", Event))
        named = [(name, model) for name, model in levels if values.get(name) is not None]
        if len(named) != 1:
            words = _("A rule stands on an alliance, a plan, a work area or an event: name one.")
            raise invalid("alliance", words, code="required")
        [(name, model)] = named
        chosen = {level: values.pop(level) for level, _model in levels if level in values}
        key = "slug" if name == "alliance" else "uid"
        return find_one(model.objects.visible_to(self.viewer), name, **{key: chosen[name]})


class _OfManagedEvent(HouseView):
    """Something about one event, for its secretariat."""

    resource = "events"

    def event(self, uid: Any) -> Event:
        """Return the event.

        Raises:
            NotVisible: there is none that the viewer may see.
            NotAllowed: it is another secretariat's.
        """
        rows = Event.objects.visible_to(self.viewer).select_related("alliance", "work_area", "plan")
        event: Event | None = rows.filter(uid=uid).first()
        if event is None:
            raise NotVisible
        rules.require(rules.may_manage_event(self.viewer, event))
        return event


class StandingRulesView(_OfManagedEvent):
    """Which rules stand over an event, and where each comes from."""

    @extend_schema(operation_id="events_reminder_rules", responses=StandingRulesReading)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer all rules over the event, the outermost first."""
        event = self.event(kwargs["uid"])
        rows = standings(event)
        foresights = foresee((event, row.rule) for row in rows)
        pending = dict(
            Reminder.objects.filter(event=event, state="pending").values_list("rule", "nominal_at")
        )

        def described(row: Standing) -> dict[str, Any]:
            foresight = foresights.get((event.pk, row.rule.pk))
            due = foresight.nominal(1) if foresight is not None and row.holds else None
            return {
                "rule": row.rule.uid,
                "level": row.level,
                "origin": origin_in_words(row.rule, self.viewer.language),
                "words": rule_in_words(row.rule, self.viewer.language),
                "holds": row.holds,
                "replaced_by": row.replaced_by.uid if row.replaced_by is not None else None,
                "replaces": row.replaces.uid if row.replaces is not None else None,
                "next_at": pending.get(row.rule.pk) if row.holds else None,
                "unsettled": unsettled_in_words(due.unsettled if due is not None else ()),
            }

        return self.answer_tagged({"items": [described(row) for row in rows]})


class PreviewView(_OfManagedEvent):
    """A rule tried out for an event: who would be told, when, and exactly what."""

    @extend_schema(
        operation_id="events_reminder_preview", request=PreviewInput, responses=PreviewReading
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer what the rule would do; nothing is saved and nothing is sent."""
        event = self.event(kwargs["uid"])
        values = self.values(PreviewInput)
        rule = values.get("rule")
        if rule is None:
            rule = _drafted(event, values.get("draft", {}))
        elif rule.alliance_key != event.alliance_id:
            raise invalid("rule", _("This rule is of another alliance."))
        if event.starts_wall is None:
            raise invalid("rule", _("The event has no time yet. Schedule it first."))
        reader = values.get("reader")
        recipient = f"person:{reader}" if reader is not None else ""
        found = preview_rule(event, rule, at=self.at, recipient=recipient)
        return self.answer(preview_as_data(found))


def _drafted(event: Event, values: dict[str, Any]) -> ReminderRule:
    """Return the rule that is made up in a preview, for the event.

    Raises:
        InvalidInput: something in it cannot be carried out; named by its place in the body.
    """
    try:
        rule = draft_reminder_rule(event, **values)
        check_reminder_rule(rule)
    except InvalidInput as error:
        raise InvalidInput(
            [replace(one, field=f"draft.{one.field}") for one in error.errors]
        ) from None
    return rule


def preview_as_data(found: Preview) -> dict[str, Any]:
    """Return a preview as the API shows it."""
    return {
        "readers": [
            {
                "uid": reader.recipient.partition(":")[2],
                "name": reader.name,
                "language": reader.language,
                "time_zone": reader.time_zone,
            }
            for reader in found.readers
        ],
        "reader": found.reader.recipient.partition(":")[2] if found.reader is not None else None,
        "times": [
            {"due_at": time.due_at, "send_at": time.send_at, "note": time.note.value}
            for time in found.times
        ],
        "unsettled": unsettled_in_words(found.unsettled),
        "letters": {
            "zh": _letter(found.letters.get(CHINESE)),
            "en": _letter(found.letters.get(ENGLISH)),
        },
    }


def _letter(letter: Rendered | None) -> dict[str, str] | None:
    if letter is None:
        return None
    return {"subject": letter.subject, "text": letter.text, "html": letter.html}
