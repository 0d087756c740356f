"""Robots of chat groups: set them up, try them, mend them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import NotAllowed
from coordination.deliveries.models import Endpoint
from coordination.deliveries.own_pages.robot_forms import (
    KINDS,
    ChangeRobotForm,
    NewRobotForm,
)
from coordination.deliveries.owners import may_manage_owner, name_of_owner, owners_offered
from coordination.deliveries.robot_health import health_of
from coordination.deliveries.robot_words import trial_words
from coordination.deliveries.robots import (
    TestNotTaken,
    add_robot,
    change_robot,
    remove_robot,
    robot_of,
    robots_for,
    switch_on,
    try_robot,
)
from coordination.pages.answers import asked, now, page, posted, viewer_of


@never_cache
@login_required
@sensitive_post_parameters("url", "signing_key")
@require_http_methods(["GET", "HEAD", "POST"])
@page
def robots(request: HttpRequest) -> HttpResponse:
    """List the robots of the viewer's secretariats with their condition; set one up."""
    viewer = viewer_of(request)
    owners = _owners(viewer, asked(request, "for"))
    if not owners:
        raise NotAllowed
    form = NewRobotForm(posted(request), owners=owners)
    if request.method == "POST" and form.is_valid():
        values = form.values() | {"channel": form.cleaned_data["channel"]}
        owner, at = form.cleaned_data["owner"], now()
        robot = form.run(lambda: add_robot(owner, viewer=viewer, at=at, **values))
        if robot is not None:
            messages.success(request, _("The robot is set up. Send it a test message."))
            return HttpResponseRedirect(reverse("robot", args=[robot.uid]))
    context = {"form": form, "robots": _rows(robots_for(viewer), viewer)}
    status = 422 if form.is_bound else 200
    return render(request, "deliveries/robots.html", context, status=status)


@never_cache
@login_required
@sensitive_post_parameters("url", "signing_key")
@require_http_methods(["GET", "HEAD", "POST"])
@page
def robot(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one robot with its condition, and change how it is set up."""
    viewer = viewer_of(request)
    found = robot_of(uid, viewer=viewer)
    form = ChangeRobotForm(posted(request), robot=found)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        if form.run(lambda: change_robot(found, viewer=viewer, **values)) is not None:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("robot", args=[uid]))
        found.refresh_from_db()
    [row] = _rows([found], viewer)
    status = 422 if form.is_bound else 200
    return render(request, "deliveries/robot.html", {"form": form, "row": row}, status=status)


@login_required
@require_POST
@page
def trial(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send a test message and say what became of it."""
    viewer = viewer_of(request)
    found = robot_of(uid, viewer=viewer)
    words = trial_words(found.language, url=f"{settings.COORDINATION_BASE_URL}/calendar/")
    try:
        try_robot(found, viewer=viewer, at=now(), words=words)
    except TestNotTaken as refusal:
        messages.error(request, str(refusal), extra_tags="alarm")
    else:
        messages.success(request, _("The robot took the test message. Look into the group."))
    return HttpResponseRedirect(reverse("robot", args=[uid]))


@login_required
@require_POST
@page
def on(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Switch a robot on again, with or without what failed in the last day."""
    viewer = viewer_of(request)
    found = robot_of(uid, viewer=viewer)
    again = switch_on(found, again="again" in request.POST, viewer=viewer, at=now())
    words = ngettext(
        "It is switched on; %(n)d failed message goes out again.",
        "It is switched on; %(n)d failed messages go out again.",
        again,
    )
    messages.success(request, words % {"n": again} if again else _("It is switched on."))
    return HttpResponseRedirect(reverse("robot", args=[uid]))


@login_required
@require_POST
@page
def remove(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a robot away."""
    viewer = viewer_of(request)
    remove_robot(robot_of(uid, viewer=viewer), viewer=viewer, at=now())
    messages.success(request, _("The robot is removed. What it was sent stays in the ledger."))
    return HttpResponseRedirect(reverse("robots"))


def _owners(viewer: Viewer, asked_for: str) -> list[tuple[str, str]]:
    """Return what the viewer may choose; first what the page that led here is about."""
    offered = owners_offered(viewer)
    if asked_for and may_manage_owner(viewer, asked_for):
        others = [row for row in offered if row[0] != asked_for]
        return [(asked_for, name_of_owner(asked_for, viewer.language)), *others]
    return offered


def _rows(found: list[Endpoint], viewer: Viewer) -> list[dict[str, object]]:
    health = health_of(found, at=now())
    kinds = dict(KINDS)
    owners = {each.owner for each in found}
    names = {owner: name_of_owner(owner, viewer.language) for owner in owners}
    return [
        {
            "robot": each,
            "kind": kinds[each.channel],
            "owner": names[each.owner],
            "health": health[each.pk],
            "ending": each.secret[-4:],
        }
        for each in found
    ]
