"""Pages of alliances, members and people: lists and the forms that set an alliance up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from alliances import joining, rules, seating
from alliances.models import Alliance, Membership, Organization, Seat
from alliances.portal.forms import (
    AdmitForm,
    AllianceForm,
    BodyForm,
    EndForm,
    MembershipForm,
    NewAllianceForm,
    SeatForm,
    values_of,
)
from coordination.bilingual import localized
from coordination.changes.models import Tracked
from coordination.changes.refusals import NotAllowed
from coordination.pages.answers import asked, now, one, page, posted, viewer_of
from coordination.pages.forms import VerbForm

REFUSED, CONFLICT = 422, 409
MEMBERS_SHOWN = 500

form_page = require_http_methods(["GET", "HEAD", "POST"])


def show_form(request: HttpRequest, form: VerbForm, **context: Any) -> HttpResponse:
    """Show a page that is one form, with the status of how it went."""
    status = CONFLICT if form.conflict else REFUSED if form.is_bound else 200
    return render(request, "portal/form_page.html", {"form": form, **context}, status=status)


def save(request: HttpRequest, form: VerbForm, verb: Callable[[], object]) -> bool:
    """Call the verb with a valid form; say that it is saved, or leave the refusal in the form."""
    if request.method != "POST" or not form.is_valid() or form.run(verb) is None:
        return False
    messages.success(request, _("Saved."))
    return True


def alliance_step(alliance: Alliance, language: str) -> dict[str, str]:
    """Return the step of the trail that leads to an alliance."""
    return {
        "address": reverse("portal:alliance", args=[alliance.slug]),
        "words": localized(alliance, "name", language),
    }


@require_safe
@page
def alliances(request: HttpRequest) -> HttpResponse:
    """List the alliances."""
    viewer, today = viewer_of(request), now().date()
    lasting = Q(memberships__ends_on__isnull=True) | Q(memberships__ends_on__gt=today)
    rows = Alliance.objects.visible_to(viewer).annotate(
        members=Count("memberships", filter=lasting & Q(memberships__starts_on__lte=today))
    )
    return render(
        request,
        "alliances/list.html",
        {"alliances": list(rows.order_by("pk")), "may_found": rules.may_found_alliance(viewer)},
    )


@form_page
@page
def new(request: HttpRequest) -> HttpResponse:
    """Set up an alliance."""
    viewer = viewer_of(request)
    if not rules.may_found_alliance(viewer):
        raise NotAllowed
    form = NewAllianceForm(posted(request), initial={"time_zone": "Asia/Shanghai"})
    if save(
        request,
        form,
        lambda: joining.found_alliance(viewer=viewer, at=now(), **form.values()),
    ):
        return HttpResponseRedirect(reverse("portal:alliance", args=[form.cleaned_data["slug"]]))
    explanation = _(
        "Its secretariat is made with it; then admit members, seat people, open a plan."
    )
    return show_form(request, form, heading=_("New alliance"), explanation=explanation)


@form_page
@page
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change an alliance's details."""
    viewer = viewer_of(request)
    found = _managed(request, slug)
    initial = values_of(found, AllianceForm)
    form = AllianceForm(posted(request), initial=initial)

    def verb() -> Alliance:
        form.held_against(found)
        return joining.revise_alliance(found, viewer=viewer, at=now(), **form.values())

    if save(request, form, verb):
        return _to_alliance(found)
    if form.conflict:
        _show_both(form, Alliance.objects.visible_to(viewer).get(pk=found.pk))
    return show_form(
        request, form, heading=_("Edit"), trail=[alliance_step(found, viewer.language)]
    )


@form_page
@page
def admit(request: HttpRequest, slug: str) -> HttpResponse:
    """Admit an organization, known or new."""
    viewer, found = viewer_of(request), _managed(request, slug)
    initial = {"starts_on": now().date()}
    form = AdmitForm(posted(request), initial=initial, language=viewer.language)

    def verb() -> Membership:
        values, at = form.cleaned_data, now()
        with transaction.atomic():
            organization = values["organization"] or joining.register_organization(
                viewer=viewer,
                at=at,
                kind=values["kind"],
                name_zh=values["name_zh"],
                name_en=values["name_en"],
                country=values["country"].upper(),
            )
            return joining.admit_member(
                found,
                organization,
                viewer=viewer,
                at=at,
                role=values["role"],
                tier=values["tier"],
                starts_on=values["starts_on"],
            )

    if save(request, form, verb):
        return _to_alliance(found)
    return show_form(
        request, form, heading=_("Admit a member"), trail=[alliance_step(found, viewer.language)]
    )


@form_page
@page
def membership(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a membership, or end it."""
    viewer = viewer_of(request)
    rows = Membership.objects.visible_to(viewer).select_related("alliance", "organization")
    found = one(rows, uid=uid)
    if not rules.may_manage_membership(viewer, found):
        raise NotAllowed
    ending = request.POST.get("do") == "end"
    data = posted(request)
    revise = MembershipForm(
        None if ending else data, initial=values_of(found, MembershipForm), prefix="revise"
    )
    end = EndForm(data if ending else None, initial={"version": found.version}, prefix="end")

    def verb() -> Membership:
        (end if ending else revise).held_against(found)
        if ending:
            values = end.cleaned_data
            return joining.end_membership(
                found, on=values["on"], reason=values["reason"], viewer=viewer, at=now()
            )
        values = {k: v for k, v in revise.cleaned_data.items() if k != "version"}
        return joining.revise_membership(found, viewer=viewer, at=now(), **values)

    if save(request, end if ending else revise, verb):
        return _to_alliance(found.alliance)
    if revise.conflict:
        _show_both(revise, Membership.objects.visible_to(viewer).get(pk=found.pk))
    conflict = revise.conflict or end.conflict
    return render(
        request,
        "alliances/membership.html",
        {"membership": found, "revise": revise, "end": end, "alliance": found.alliance},
        status=CONFLICT if conflict else REFUSED if data else 200,
    )


@form_page
@page
def new_body(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a body to an alliance."""
    viewer, found = viewer_of(request), _managed(request, slug)
    form = BodyForm(posted(request))
    if save(
        request,
        form,
        lambda: joining.add_body(found, viewer=viewer, at=now(), **form.values()),
    ):
        return _to_alliance(found)
    return show_form(
        request, form, heading=_("Add a body"), trail=[alliance_step(found, viewer.language)]
    )


@form_page
@page
def seat(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a person and give them a seat."""
    viewer, found = viewer_of(request), _managed(request, slug)
    options: dict[str, Any] = {"alliance": found, "language": viewer.language}
    form = SeatForm(posted(request), initial={"starts_on": now().date()}, **options)

    def verb() -> Seat:
        values, at = form.cleaned_data, now()
        details = ("name_zh", "name_en", "title_zh", "title_en", "email", "phone")
        with transaction.atomic():
            person = seating.add_person(
                viewer=viewer, at=at, **{name: values[name] for name in details}
            )
            return seating.seat_person(
                person,
                role=values["role"],
                starts_on=values["starts_on"],
                ends_on=values["ends_on"],
                organization=values["organization"],
                body=values["body"],
                viewer=viewer,
                at=at,
            )

    if save(request, form, verb):
        return _to_alliance(found)
    return show_form(
        request, form, heading=_("Give a seat"), trail=[alliance_step(found, viewer.language)]
    )


@require_safe
@page
def members(request: HttpRequest) -> HttpResponse:
    """List the organizations with the alliances they belong to."""
    viewer, today = viewer_of(request), now().date()
    memberships = Membership.objects.visible_to(viewer).active_on(today)
    slug = asked(request, "alliance")
    if slug:
        memberships = memberships.filter(alliance__slug=slug)
    rows = memberships.select_related("organization", "alliance")
    return render(
        request,
        "alliances/members.html",
        {
            "memberships": list(rows.order_by("alliance", "pk")[:MEMBERS_SHOWN]),
            "alliances": list(Alliance.objects.visible_to(viewer).order_by("pk")),
            "chosen": slug,
        },
    )


@require_safe
@page
def organization(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show an organization: its names, memberships, and people as far as they are open."""
    viewer = viewer_of(request)
    found = one(Organization.objects.visible_to(viewer), uid=uid)
    seats = Seat.objects.visible_to(viewer).filter(organization=found).active_on(now().date())
    return render(
        request,
        "alliances/organization.html",
        {
            "organization": found,
            "aliases": [alias.name for alias in found.aliases.all()],
            "memberships": list(
                Membership.objects.visible_to(viewer)
                .filter(organization=found)
                .select_related("alliance")
                .order_by("starts_on", "pk")
            ),
            "seats": list(seats.select_related("person__details").order_by("pk")),
            "may_seat": rules.may_seat_for_organization(viewer, found),
        },
    )


def _managed(request: HttpRequest, slug: str) -> Alliance:
    """Return an alliance that the viewer manages.

    Raises:
        NotVisible, NotAllowed.
    """
    viewer = viewer_of(request)
    found: Alliance = one(Alliance.objects.visible_to(viewer), slug=slug)
    if not rules.may_manage_alliance(viewer, found):
        raise NotAllowed
    return found


def _to_alliance(alliance: Alliance) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("portal:alliance", args=[alliance.slug]))


def _show_both(form: VerbForm, present: Tracked) -> None:
    form.show_both(values_of(present, type(form)), version=present.version)
