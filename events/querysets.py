"""Questions to the events' nouns. Every read starts at `visible_to(viewer)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self

from django.apps import apps
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery

from alliances.querysets import alliances_seen_from_inside
from coordination.accounts.viewer import Viewer, scopes_of
from coordination.changes.models import GuardedQuerySet


class Concerns(Func):
    """Whether a row concerns one of some scopes: a test of the column `concerns`.

    It is one word-wise comparison for each scope, and no subquery, so that a planner walks the
    index of the order asked for and stops at the end of the page.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, scopes: Sequence[str], *, of: str = "concerns") -> None:
        super().__init__(F(of))
        self.scopes = tuple(scopes)

    @property
    def identity(self) -> Any:
        """Tell apart what tests other scopes."""
        return (*super().identity, self.scopes)

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **_context: Any
    ) -> tuple[str, list[str]]:
        """Return the comparison; scopes hold no wildcard."""
        return self._compared(compiler, "(' ' || {column} || ' ') LIKE %s", "% {scope} %")

    def as_sqlite(  # type: ignore[override]
        self, compiler: Any, _connection: Any, **_context: Any
    ) -> tuple[str, list[str]]:
        """Return it for SQLite, which plans a statement with LIKE anew whenever it is asked.

        See sqlite.org/c3ref/prepare.html on values that might influence the plan: that costs ten
        times what finding a row by its key does.
        """
        return self._compared(compiler, "INSTR(' ' || {column} || ' ', %s) > 0", " {scope} ")

    def _compared(self, compiler: Any, test: str, word: str) -> tuple[str, list[str]]:
        """Return one comparison for each scope, joined by OR."""
        column, parameters = compiler.compile(self.source_expressions[0])
        sql = " OR ".join([test.format(column=column)] * len(self.scopes))
        return f"({sql})", [
            value for scope in self.scopes for value in (*parameters, word.format(scope=scope))
        ]


def organizations_of(viewer: Viewer) -> frozenset[int]:
    """Return the keys of the organizations that the viewer acts for."""
    return frozenset(grant.pk for grant in viewer.grants if grant.kind == "organization")


class EventQuerySet(GuardedQuerySet[Any]):
    """Events, each open to one circle."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the events that the viewer may see.

        The secretariat of the owner sees all; a co-hosting alliance sees what is open to more
        than the owner's secretariat; hosts and organizations named see theirs from then on too.
        `Event.concerned_scopes` says so, and is kept with the row: no other table is asked.
        """
        if viewer.is_unlimited:
            return self
        scopes = [scope for scope in scopes_of(viewer) if scope != "public"]
        condition = Q(openness="public")
        if scopes:
            condition |= Q(Concerns(scopes))
        return self.filter(condition)

    def overlapping(self, since: datetime, until: datetime) -> Self:
        """Return the events with a time in [since, until)."""
        return self.filter(starts_at__lt=until, ends_at__gt=since)

    def concerning_organization(self, organization_id: int) -> Self:
        """Return the events that an organization hosts or that name it."""
        return self._with_one_of([organization_id])

    def concerning_organizations(self, organization_ids: Iterable[int]) -> Self:
        """Return the events that one of these organizations hosts or is named in, and may see.

        What is for the owner's secretariat alone does not concern them yet, even where somebody
        who acts for one of them sees it as a member of that secretariat.
        """
        rows: Self = self._with_one_of(organization_ids)
        return rows.exclude(openness="secretariat")

    def _with_one_of(self, organization_ids: Iterable[int]) -> Self:
        wanted = list(organization_ids)
        return self.filter(
            _part("EventHost", organization__in=wanted)
            | _part("EventOrganization", organization__in=wanted)
        )


def _part(model: str, **conditions: Any) -> Q:
    rows = apps.get_model("events", model).objects.filter(event=OuterRef("pk"), **conditions)
    return Q(Exists(rows))


class EventChildQuerySet(GuardedQuerySet[Any]):
    """Rows of an event with an openness of their own: seen inside both circles."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rows of events that the viewer may see, as far as they are open."""
        if viewer.is_unlimited:
            return self
        events = apps.get_model("events", "Event").objects.visible_to(viewer)
        inside = alliances_seen_from_inside(viewer)
        open_here = Q(openness="public")
        if inside:
            open_here |= Q(openness="members", event__alliance__in=inside)
            co_hosted = apps.get_model("events", "EventAlliance").objects.filter(
                event=OuterRef("event"), alliance__in=inside
            )
            open_here |= Q(Exists(co_hosted), openness="members")
        organizations = organizations_of(viewer)
        for model in ("EventHost", "EventOrganization") if organizations else ():
            rows = apps.get_model("events", model).objects.filter(
                event=OuterRef("event"), organization__in=organizations
            )
            open_here |= ~Q(openness="secretariat") & Q(Exists(rows))
        staffed = viewer.pks("secretariat", "alliance")
        if staffed:
            open_here |= Q(event__alliance__in=staffed)
        return self.filter(open_here, event__in=events.values("pk"))


class _OwedQuerySet(GuardedQuerySet[Any]):
    """Rows between an event's secretariat and one organization."""

    event_path = "event"
    organization_path = "organization"

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rows of the viewer's organizations, and those the secretariat keeps."""
        if viewer.is_unlimited:
            return self
        organizations = organizations_of(viewer)
        staffed = viewer.pks("secretariat", "alliance")
        mine = Q(**{f"{self.organization_path}__in": organizations}) & ~Q(
            **{f"{self.event_path}__openness": "secretariat"}
        )
        return self.filter(mine | Q(**{f"{self.event_path}__alliance__in": staffed}))


class InvitationQuerySet(_OwedQuerySet):
    """Invitations."""

    def unanswered(self) -> Self:
        """Return the invitations that wait for an answer: none came, or it was for another time.

        Which time an answer was for is read from the notices, as `answers_this_time` does.
        """
        answers, notices = (
            apps.get_model("events", name).objects.filter(invitation=OuterRef("pk"))
            for name in ("Answer", "InvitationNotice")
        )
        told = notices.order_by("-number")
        then = told.filter(sequence__lte=OuterRef("answered_sequence"))
        answered = answers.order_by("-pk").values("sequence")[:1]
        rows = self.alias(answered_sequence=Subquery(answered)).alias(
            told_sequence=Subquery(told.values("sequence")[:1]),
            told_time=Subquery(told.values("time_text")[:1]),
            answered_time=Subquery(then.values("time_text")[:1]),
        )
        is_old = Q(answered_sequence__lt=F("told_sequence")) & (
            Q(answered_time__isnull=True) | ~Q(answered_time=F("told_time"))
        )
        return rows.filter(Q(state="needs_action") | is_old, withdrawn_at__isnull=True)


class AnswerQuerySet(_OwedQuerySet):
    """Answers to invitations."""

    event_path = "invitation__event"
    organization_path = "invitation__organization"


class InboundMessageQuerySet(QuerySet[Any]):
    """Mail that came in: the secretariat's business."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return what answers invitations of the viewer's secretariats; superusers see all."""
        if viewer.is_unlimited:
            return self
        staffed = viewer.pks("secretariat", "alliance")
        return self.filter(invitation__event__alliance__in=staffed)


class DutyQuerySet(_OwedQuerySet):
    """Duties."""

    def owed(self) -> Self:
        """Return the duties that are neither done nor dropped."""
        return self.filter(done_at__isnull=True, dropped_at__isnull=True)


class OfAllianceQuerySet(GuardedQuerySet[Any]):
    """Rows that are the business of an alliance's secretariat."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rows of the viewer's secretariats."""
        if viewer.is_unlimited:
            return self
        return self.filter(alliance__in=viewer.pks("secretariat", "alliance"))


class ReminderRuleQuerySet(GuardedQuerySet[Any]):
    """Reminder rules: the secretariat's business."""

    def visible_to(self, viewer: Viewer) -> Self:
        """Return the rules of the viewer's secretariats."""
        if viewer.is_unlimited:
            return self
        staffed = viewer.pks("secretariat", "alliance")
        return self.filter(
            Q(alliance__in=staffed)
            | Q(plan__alliance__in=staffed)
            | Q(work_area__plan__alliance__in=staffed)
            | Q(event__alliance__in=staffed)
        )
