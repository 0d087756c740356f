"""Pages of what is owed: who owes what, how late, who is asked next, and what is expected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from alliances.models import Alliance
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import asked, now, one, page, posted, uid_or_none, viewer_of
from coordination.pages.forms import VerbForm
from coordination.portal.owed_forms import ChaseStepForm, StandardDutyForm
from events import chasing, rules
from events.chase_letters import lateness
from events.models import Chase, ChaseStep, Duty, DutyKind, ReminderState, StandardDuty
from events.models.chase import CHASED_WORDS
from events.owing import fulfil_duty, reopen_duty
from events.portal.acting import call_on_duty
from events.rule_words import step_in_words

MOST_ROWS = 300
CONFLICT, REFUSED = 409, 422


@dataclass(frozen=True, slots=True)
class OwedLine:
    """A duty as the page shows it.

    Attributes:
        late: how late it is, or how long there still is, in words.
        next_at: when the next step is taken; None for no more steps.
        next_told: who is told then, in words.
    """

    duty: Duty
    late: str
    is_late: bool
    steps_taken: int
    next_at: datetime | None
    next_told: str
    may_fulfil: bool


@require_http_methods(["GET", "HEAD"])
@page
def owed(request: HttpRequest) -> HttpResponse:
    """Show what is owed, by organization: the viewer's own, and the secretariat's."""
    viewer = viewer_of(request)
    if not viewer.is_authenticated:
        raise NotAllowed
    kind, slug = asked(request, "kind"), asked(request, "alliance")
    rows = Duty.objects.visible_to(viewer).owed()
    if kind in DutyKind.values:
        rows = rows.filter(kind=kind)
    if slug:
        rows = rows.filter(event__alliance__slug=slug)
    if asked(request, "late"):
        rows = rows.filter(due_at__lt=now())
    related = rows.select_related("event__alliance", "organization").prefetch_related(
        "event__hosts", "event__co_hosts", "event__named"
    )
    lines = _lines(list(related.order_by("due_at", "pk")[: MOST_ROWS + 1]), viewer)
    kept = _staffed(viewer)
    steps = ChaseStep.objects.filter(alliance__in=kept).order_by()
    chasing_alliances = set(steps.values_list("alliance", flat=True))
    return render(
        request,
        "portal/owed.html",
        {
            "groups": _by_organization(lines[:MOST_ROWS], viewer.language),
            "is_cut": len(lines) > MOST_ROWS,
            "late": sum(line.is_late for line in lines),
            "kinds": DutyKind.choices,
            "kind": kind,
            "slug": slug,
            "only_late": bool(asked(request, "late")),
            "just_done": _just_done(request, viewer),
            "alliances": [(row, row.pk in chasing_alliances) for row in kept],
        },
    )


@require_POST
@page
def done(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Record that a duty is done, and come back to the list, where that can be taken back."""
    _duty, is_done = call_on_duty(request, uid, fulfil_duty)
    return HttpResponseRedirect(reverse("portal:owed") + (f"?done={uid}" if is_done else ""))


@require_POST
@page
def reopen(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take back that a duty is done, and come back to the list."""
    _duty, is_open = call_on_duty(request, uid, reopen_duty)
    if is_open:
        messages.success(request, _("It is owed again."))
    return HttpResponseRedirect(reverse("portal:owed"))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def expected(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what an alliance expects of every event, and its steps of chasing; add to either."""
    viewer = viewer_of(request)
    alliance = _alliance(viewer, slug)
    which = request.POST.get("do", "")
    data = posted(request)
    duty = StandardDutyForm(data if which == "duty" else None, prefix="duty")
    step = ChaseStepForm(data if which == "step" else None, prefix="step")
    verbs: dict[str, tuple[VerbForm, Callable[[], object]]] = {
        "duty": (duty, lambda: chasing.add_standard_duty(
            alliance, viewer=viewer, at=now(), **duty.values)),
        "step": (step, lambda: chasing.add_chase_step(
            alliance, viewer=viewer, at=now(), **step.values)),
    }  # fmt: skip
    if which in verbs:
        form, verb = verbs[which]
        if form.is_valid() and form.run(verb) is not None:
            messages.success(request, _("Added."))
            return HttpResponseRedirect(reverse("portal:expected", args=[slug]))
    duties = StandardDuty.objects.visible_to(viewer).filter(alliance=alliance).order_by("pk")
    steps = ChaseStep.objects.visible_to(viewer).filter(alliance=alliance).order_by("pk")
    return render(
        request,
        "portal/expected.html",
        {
            "alliance": alliance,
            "duties": [(row, step_in_words(row)) for row in duties],
            "steps": [(row, step_in_words(row), _told(row)) for row in steps],
            "duty_form": duty,
            "step_form": step,
        },
        status=REFUSED if which in verbs else 200,
    )


@require_POST
@page
def take_over(request: HttpRequest, slug: str) -> HttpResponse:
    """Give an alliance the usual duties and steps."""
    viewer = viewer_of(request)
    alliance = _alliance(viewer, slug)
    chasing.take_over_standard_chasing(alliance, viewer=viewer, at=now())
    messages.success(request, _("The usual duties and steps are set. Adapt them as you need."))
    return HttpResponseRedirect(reverse("portal:expected", args=[slug]))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def standard_duty(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change or remove a standard duty."""
    viewer = viewer_of(request)
    rows = StandardDuty.objects.visible_to(viewer).select_related("alliance")
    found = one(rows, uid=uid)
    form = StandardDutyForm(posted(request), initial=StandardDutyForm.values_of(found))

    def save() -> object:
        form.held_against(found)
        return chasing.revise_standard_duty(found, viewer=viewer, at=now(), **form.values)

    def remove() -> object:
        chasing.remove_standard_duty(found, viewer=viewer, at=now())
        return True

    return _changed(request, found, form, save, remove, found.get_kind_display())


@require_http_methods(["GET", "HEAD", "POST"])
@page
def chase_step(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change or remove a step of chasing."""
    viewer = viewer_of(request)
    rows = ChaseStep.objects.visible_to(viewer).select_related("alliance")
    found = one(rows, uid=uid)
    form = ChaseStepForm(posted(request), initial=ChaseStepForm.values_of(found))

    def save() -> object:
        form.held_against(found)
        return chasing.revise_chase_step(found, viewer=viewer, at=now(), **form.values)

    def remove() -> object:
        chasing.remove_chase_step(found, viewer=viewer, at=now())
        return True

    return _changed(request, found, form, save, remove, step_in_words(found))


def _changed(
    request: HttpRequest,
    found: StandardDuty | ChaseStep,
    form: VerbForm,
    save: Callable[[], object],
    remove: Callable[[], object],
    heading: str,
) -> HttpResponse:
    """Answer a page that changes or removes one row."""
    back = reverse("portal:expected", args=[found.alliance.slug])
    removing = request.POST.get("do") == "remove"
    ready = request.method == "POST" and (form.is_valid() or removing)
    if ready and form.run(remove if removing else save) is not None:
        messages.success(request, _("Removed.") if removing else _("Saved."))
        return HttpResponseRedirect(back)
    return render(
        request,
        "portal/expected_one.html",
        {"form": form, "heading": heading, "back": back, "alliance": found.alliance},
        status=CONFLICT if form.conflict else REFUSED if form.is_bound else 200,
    )


def _alliance(viewer: Viewer, slug: str) -> Alliance:
    """Return the alliance whose secretariat the viewer belongs to.

    Raises:
        NotVisible, NotAllowed.
    """
    alliance: Alliance = one(Alliance.objects.visible_to(viewer), slug=slug)
    if not rules.may_manage_chasing(viewer, alliance.pk):
        raise NotAllowed
    return alliance


def _staffed(viewer: Viewer) -> list[Alliance]:
    rows = Alliance.objects.visible_to(viewer)
    if not viewer.is_unlimited:
        rows = rows.filter(pk__in=viewer.pks("secretariat", "alliance"))
    return list(rows.order_by("pk"))


def _lines(duties: list[Duty], viewer: Viewer) -> list[OwedLine]:
    at = now()
    chases: dict[int, list[Chase]] = defaultdict(list)
    for chase in Chase.objects.filter(duty__in=duties).select_related("step").order_by("due_at"):
        chases[chase.duty_id].append(chase)
    found = []
    for duty in duties:
        rows = chases[duty.pk]
        coming = next((row for row in rows if row.state == ReminderState.PENDING), None)
        found.append(
            OwedLine(
                duty=duty,
                late=lateness(at - duty.due_at),
                is_late=duty.due_at < at,
                steps_taken=sum(row.state == ReminderState.FIRED for row in rows),
                next_at=coming.due_at if coming is not None else None,
                next_told=_told(coming.step) if coming is not None else "",
                may_fulfil=rules.may_fulfil_duty(viewer, duty),
            )
        )
    return found


def _just_done(request: HttpRequest, viewer: Viewer) -> Duty | None:
    """Return the duty that was marked as done a moment ago, so that a slip can be taken back."""
    uid = uid_or_none(asked(request, "done"))
    if uid is None:
        return None
    rows = Duty.objects.visible_to(viewer).filter(uid=uid, done_at__isnull=False)
    found: Duty | None = rows.select_related("event", "organization").first()
    return found if found is not None and rules.may_fulfil_duty(viewer, found) else None


def _by_organization(lines: list[OwedLine], language: str) -> list[tuple[str, int, list[OwedLine]]]:
    """Return the lines by organization, those with most that is late first."""
    groups: dict[str, list[OwedLine]] = defaultdict(list)
    for line in lines:
        groups[localized(line.duty.organization, "name", language)].append(line)
    found = [(name, sum(line.is_late for line in rows), rows) for name, rows in groups.items()]
    return sorted(found, key=lambda group: (-group[1], group[2][0].duty.due_at, group[0]))


def _told(step: ChaseStep) -> str:
    return _("; ").join(str(CHASED_WORDS[word]) for word in step.told)
