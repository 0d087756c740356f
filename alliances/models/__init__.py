"""The nouns of alliances: who belongs, who acts, and what is planned."""

from alliances.models.access_day import AccessDay
from alliances.models.alliance import Alliance, AllianceKind, Body, BodyKind
from alliances.models.edition import Edition, EditionItem, EditionState
from alliances.models.membership import ChairTerm, Membership, MembershipRole
from alliances.models.organization import Organization, OrganizationAlias, OrganizationKind
from alliances.models.people import Person, PersonDetails, Seat, SeatRole
from alliances.models.plan import (
    Openness,
    Plan,
    PlanItem,
    PlanItemHost,
    PlanKind,
    PlanState,
    WorkArea,
)

__all__ = [
    "AccessDay",
    "Alliance",
    "AllianceKind",
    "Body",
    "BodyKind",
    "ChairTerm",
    "Edition",
    "EditionItem",
    "EditionState",
    "Membership",
    "MembershipRole",
    "Openness",
    "Organization",
    "OrganizationAlias",
    "OrganizationKind",
    "Person",
    "PersonDetails",
    "Plan",
    "PlanItem",
    "PlanItemHost",
    "PlanKind",
    "PlanState",
    "Seat",
    "SeatRole",
    "WorkArea",
]
