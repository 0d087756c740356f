"""What an alliance expects of its events, and the steps by which it chases what is owed."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance
from coordination.accounts.viewer import Viewer
from coordination.changes.assigning import assign
from coordination.changes.recording import Log, recording
from coordination.changes.refusals import invalid
from events import rules
from events.models import ChaseStep, DayUnit, DutyAnchor, DutyKind, OwedBy, StandardDuty
from events.models.chase import CHASED_WORDS
from events.own_words import CHASE_PLACES
from events.reminding import CHANNELS, check_distance, check_text

TOLD = tuple(CHASED_WORDS)
MORNING = time(9)
STANDARD_DUTIES: tuple[dict[str, Any], ...] = (
    {"kind": DutyKind.NAME_DATE, "anchor": DutyAnchor.WINDOW, "offset": "-P30D"},
    {"kind": DutyKind.ANSWER, "owed_by": OwedBy.INVITED, "offset": "-P10D"},
    {"kind": DutyKind.NAME_DELEGATES, "owed_by": OwedBy.INVITED, "offset": "-P5D"},
    {"kind": DutyKind.SEND_AGENDA, "offset": "-P7D"},
    {"kind": DutyKind.SEND_MATERIALS, "offset": "-P3D"},
    {"kind": DutyKind.SEND_MINUTES, "anchor": DutyAnchor.END, "offset": "P5D"},
)
STANDARD_STEPS: tuple[tuple[str, list[str]], ...] = (
    ("-P3D", ["liaison"]),
    ("P0D", ["liaison"]),
    ("P1D", ["deputy"]),
    ("P3D", ["representative"]),
    ("P5D", ["secretariat"]),
)
"""Before and when it is due the one who owes it; then the deputy, the head, the secretariat."""


def take_over_standard_chasing(alliance: Alliance, *, viewer: Viewer, at: datetime) -> int:
    """Give an alliance the usual duties and steps, to be adapted; return how many are new.

    What the alliance has of its own stays: of duties those kinds, of steps all.

    Raises:
        NotAllowed.
    """
    rules.require(rules.may_manage_chasing(viewer, alliance.pk))
    own = set(
        StandardDuty.objects.filter(alliance=alliance, event_type="").values_list("kind", flat=True)
    )
    duties = [
        StandardDuty(alliance=alliance, **{"day_unit": DayUnit.WORKING} | values)
        for values in STANDARD_DUTIES
        if values["kind"] not in own
    ]
    for duty in duties:
        if duty.kind == DutyKind.NAME_DATE:
            duty.day_unit = DayUnit.CALENDAR
    steps = []
    if not ChaseStep.objects.filter(alliance=alliance).exists():
        steps = [
            ChaseStep(
                alliance=alliance,
                offset=offset,
                day_unit=DayUnit.WORKING,
                at_time=MORNING,
                told=told,
                channels=["email", "inbox"],
            )
            for offset, told in STANDARD_STEPS
        ]
    with recording(viewer.actor, at=at) as log:
        log.insert_all(steps, "chase_step.added")
        log.insert_all(duties, "standard_duty.added")
    return len(duties) + len(steps)


def add_standard_duty(
    alliance: Alliance, *, viewer: Viewer, at: datetime, **values: Any
) -> StandardDuty:
    """Expect something of every event of an alliance.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_chasing(viewer, alliance.pk))
    duty = assign(StandardDuty(alliance=alliance), values, fixed=("alliance",))
    _check_duty(duty)
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "standard_duty.added")
    return duty


def revise_standard_duty(
    duty: StandardDuty, *, viewer: Viewer, at: datetime, **values: Any
) -> StandardDuty:
    """Change what is expected; duties that follow from it, and are still owed, follow.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_chasing(viewer, duty.alliance_id))
    _check_duty(assign(duty, values, fixed=("alliance", "kind")))
    with recording(viewer.actor, at=at) as log:
        log.save(duty, "standard_duty.revised")
    return duty


def remove_standard_duty(duty: StandardDuty, *, viewer: Viewer, at: datetime) -> None:
    """Remove it while nothing followed from it; afterwards it can only be taken out of use.

    Raises:
        NotAllowed, StaleVersion, InUse.
    """
    rules.require(rules.may_manage_chasing(viewer, duty.alliance_id))
    with recording(viewer.actor, at=at) as log:
        log.delete(duty, "standard_duty.removed")


def add_chase_step(alliance: Alliance, *, viewer: Viewer, at: datetime, **values: Any) -> ChaseStep:
    """Add a step by which the alliance chases.

    Raises:
        NotAllowed, InvalidInput.
    """
    rules.require(rules.may_manage_chasing(viewer, alliance.pk))
    step = ChaseStep(alliance=alliance, told=["liaison"], channels=["email"])
    with recording(viewer.actor, at=at) as log:
        _save_step(assign(step, values, fixed=("alliance",)), "chase_step.added", log)
    return step


def revise_chase_step(step: ChaseStep, *, viewer: Viewer, at: datetime, **values: Any) -> ChaseStep:
    """Change a step; what it has not done yet follows.

    Raises:
        NotAllowed, InvalidInput, StaleVersion.
    """
    rules.require(rules.may_manage_chasing(viewer, step.alliance_id))
    with recording(viewer.actor, at=at) as log:
        _save_step(assign(step, values, fixed=("alliance",)), "chase_step.revised", log)
    return step


def remove_chase_step(step: ChaseStep, *, viewer: Viewer, at: datetime) -> None:
    """Remove a step with what it still had to do; what was sent stays in the ledger.

    Raises:
        NotAllowed, StaleVersion.
    """
    rules.require(rules.may_manage_chasing(viewer, step.alliance_id))
    step.enabled = False
    with recording(viewer.actor, at=at) as log:
        log.save(step, "chase_step.revised")
        log.delete(step, "chase_step.removed")


def _check_duty(duty: StandardDuty) -> None:
    check_distance("offset", duty.offset)
    is_date = duty.kind == DutyKind.NAME_DATE
    if is_date != (duty.anchor == DutyAnchor.WINDOW) and is_date:
        raise invalid(
            "anchor", _("A date is named before the planned time begins: count from there.")
        )
    if duty.kind == DutyKind.ANSWER and duty.owed_by != OwedBy.INVITED:
        raise invalid("owed_by", _("Only those invited can answer an invitation."))


def _save_step(step: ChaseStep, kind: str, log: Log) -> None:
    check_distance("offset", step.offset)
    for name, allowed in (("told", TOLD), ("channels", CHANNELS[:2])):
        chosen = getattr(step, name)
        if not chosen or not isinstance(chosen, list) or set(map(str, chosen)) - set(allowed):
            words = _("Choose one or more of: %(allowed)s.")
            raise invalid(name, words % {"allowed": ", ".join(allowed)})
    for name in ("text_zh", "text_en"):
        check_text(name, getattr(step, name), CHASE_PLACES)
    log.save(step, kind)
