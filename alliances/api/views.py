"""Alliances, bodies, organizations, members, people and seats in the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

from alliances import joining, rules, seating
from alliances.api import filters, inputs, readings
from alliances.models import (
    Alliance,
    Body,
    ChairTerm,
    Membership,
    Organization,
    Person,
    Seat,
)
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import invalid
from coordination.rest.viewsets import Changing, Creating, ResourceViewSet, transition

Values = dict[str, Any]


class AllianceViewSet(Creating, Changing, ResourceViewSet):
    """Alliances, named by their slugs."""

    resource = "alliances"
    model = Alliance
    reading = readings.AllianceReading
    create_input = inputs.AllianceInput
    change_input = inputs.AllianceChange
    filterset_class = filters.AllianceFilters
    orderings: ClassVar = {"created": "pk", "slug": "slug", "founded_on": "founded_on"}
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def perform_create(self, values: Values) -> Alliance:
        """Found it."""
        return joining.found_alliance(viewer=self.viewer, at=self.at, **values)

    def perform_change(self, alliance: Alliance, values: Values) -> Alliance:
        """Revise it."""
        return joining.revise_alliance(alliance, viewer=self.viewer, at=self.at, **values)


class BodyViewSet(Creating, Changing, ResourceViewSet):
    """Bodies of alliances: assembly, council, secretariat and so on."""

    resource = "bodies"
    model = Body
    reading = readings.BodyReading
    create_input = inputs.BodyInput
    change_input = inputs.BodyChange
    filterset_class = filters.BodyFilters
    related = ("alliance",)

    def perform_create(self, values: Values) -> Body:
        """Add it."""
        return joining.add_body(values.pop("alliance"), viewer=self.viewer, at=self.at, **values)

    def perform_change(self, body: Body, values: Values) -> Body:
        """Revise it."""
        return joining.revise_body(body, viewer=self.viewer, at=self.at, **values)


class OrganizationViewSet(Creating, Changing, ResourceViewSet):
    """Organizations: zones, cities and others. They belong to no single alliance."""

    resource = "organizations"
    model = Organization
    reading = readings.OrganizationReading
    create_input = inputs.OrganizationInput
    change_input = inputs.OrganizationInput
    filterset_class = filters.OrganizationFilters
    orderings: ClassVar = {
        "created": "pk",
        "name_zh": "name_zh",
        "name_en": "name_en",
        "changed_at": "changed_at",
    }

    def perform_create(self, values: Values) -> Organization:
        """Register it."""
        return joining.register_organization(viewer=self.viewer, at=self.at, **values)

    def perform_change(self, organization: Organization, values: Values) -> Organization:
        """Revise it."""
        return joining.revise_organization(organization, viewer=self.viewer, at=self.at, **values)

    @transition(inputs.MergeInput)
    def merge(self, organization: Organization, values: Values) -> Organization:
        """Take another organization into this one: both were the same."""
        return joining.merge_organizations(
            organization,
            values["merged"],
            reason=values["reason"],
            viewer=self.viewer,
            at=self.at,
        )


class MembershipViewSet(Creating, Changing, ResourceViewSet):
    """Memberships: which organization belonged to which alliance, from when until when."""

    resource = "memberships"
    model = Membership
    reading = readings.MembershipReading
    create_input = inputs.MembershipInput
    change_input = inputs.MembershipChange
    filterset_class = filters.MembershipFilters
    orderings: ClassVar = {"created": "pk", "starts_on": "starts_on"}
    related = ("alliance", "organization")

    def perform_create(self, values: Values) -> Membership:
        """Admit the organization."""
        alliance, organization = values.pop("alliance"), values.pop("organization")
        return joining.admit_member(
            alliance, organization, viewer=self.viewer, at=self.at, **values
        )

    def perform_change(self, membership: Membership, values: Values) -> Membership:
        """Revise it."""
        return joining.revise_membership(membership, viewer=self.viewer, at=self.at, **values)

    @transition(inputs.EndInput)
    def end(self, membership: Membership, values: Values) -> Membership:
        """End the membership; `on` is the first day on which it no longer holds."""
        return joining.end_membership(
            membership,
            on=values.get("on") or self.today,
            reason=values.get("reason", ""),
            viewer=self.viewer,
            at=self.at,
        )


class ChairTermViewSet(Creating, Changing, ResourceViewSet):
    """Terms in the rotating chair of a body."""

    resource = "chair-terms"
    model = ChairTerm
    reading = readings.ChairTermReading
    create_input = inputs.ChairTermInput
    change_input = inputs.ChairTermChange
    filterset_class = filters.ChairTermFilters
    orderings: ClassVar = {"created": "pk", "starts_on": "starts_on"}
    related = ("body__alliance", "organization")

    def perform_create(self, values: Values) -> ChairTerm:
        """Appoint the chair."""
        body, organization = values.pop("body"), values.pop("organization")
        return joining.appoint_chair(body, organization, viewer=self.viewer, at=self.at, **values)

    def perform_change(self, term: ChairTerm, values: Values) -> ChairTerm:
        """Revise it."""
        return joining.revise_chair_term(term, viewer=self.viewer, at=self.at, **values)


class PersonViewSet(Creating, Changing, ResourceViewSet):
    """People who act for organizations or sit in bodies."""

    resource = "people"
    model = Person
    reading = readings.PersonReading
    create_input = inputs.PersonInput
    change_input = inputs.PersonInput
    filterset_class = filters.PersonFilters
    related = ("user",)
    personal = True

    def shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that say whether the viewer may see mail and telephone."""
        annotated: QuerySet[Any] = rows.annotate(contact_is_open=contact_is_open(self.viewer))
        return annotated

    def perform_create(self, values: Values) -> Person:
        """Add the person."""
        return seating.add_person(viewer=self.viewer, at=self.at, **values)

    def perform_change(self, person: Person, values: Values) -> Person:
        """Revise the details."""
        return seating.revise_person(person, viewer=self.viewer, at=self.at, **values)

    @transition(inputs.NeedsReasonInput)
    def erase(self, person: Person, values: Values) -> Person:
        """Erase name and addresses everywhere; seats and deeds stay, without a name."""
        return seating.erase_person(person, reason=values["reason"], viewer=self.viewer, at=self.at)


def contact_is_open(viewer: Viewer) -> Any:
    """Return the condition under which `rules.may_see_contact` says yes, for whole lists."""
    if viewer.is_unlimited:
        return Value(True)
    staffed = viewer.pks("secretariat", "alliance")
    spoken_for = viewer.pks("liaison", "organization")
    members = Membership.objects.filter(alliance__in=staffed).values("organization")
    seats = Seat.objects.filter(person=OuterRef("pk"))
    managed = seats.filter(
        Q(body__alliance__in=staffed) | Q(organization__in=spoken_for) | Q(organization__in=members)
    )
    condition = Q(Exists(managed)) | Q(user__isnull=False, user=viewer.user_id)
    if rules.is_secretariat_anywhere(viewer):
        condition |= ~Q(Exists(seats))
    return condition


class SeatViewSet(Creating, ResourceViewSet):
    """Seats: who acts for which organization, or sits in which body, from when until when."""

    resource = "seats"
    model = Seat
    reading = readings.SeatReading
    create_input = inputs.SeatInput
    filterset_class = filters.SeatFilters
    orderings: ClassVar = {"created": "pk", "starts_on": "starts_on"}
    related = ("body__alliance", "organization", "person__user")
    personal = True

    def perform_create(self, values: Values) -> Seat:
        """Seat the person."""
        return seating.seat_person(values.pop("person"), viewer=self.viewer, at=self.at, **values)

    @transition(inputs.EndInput)
    def end(self, seat: Seat, values: Values) -> Seat:
        """End the seat; `on` is the first day on which it no longer holds."""
        return seating.end_seat(
            seat,
            on=values.get("on") or self.today,
            reason=values.get("reason", ""),
            viewer=self.viewer,
            at=self.at,
        )

    @transition(inputs.HandOverInput, status=201)
    def hand_over(self, seat: Seat, values: Values) -> Seat:
        """Hand the seat to a successor; the answer is the successor's seat."""
        if values["successor"] == seat.person:
            raise invalid("successor", _("The successor must be another person."))
        return seating.hand_over_seat(
            seat,
            values["successor"],
            on=values.get("on") or self.today,
            viewer=self.viewer,
            at=self.at,
        )
