"""What the API shows of alliances, organizations, members, people and plans.

Other objects are named by their outside id (an alliance by its slug), with the name that people
know them by beside it.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from alliances.models import (
    Alliance,
    AllianceKind,
    Body,
    BodyKind,
    ChairTerm,
    Edition,
    EditionState,
    Membership,
    MembershipRole,
    Openness,
    Organization,
    OrganizationKind,
    Person,
    Plan,
    PlanItem,
    PlanKind,
    PlanState,
    Seat,
    SeatRole,
    WorkArea,
)
from alliances.windows import Precision
from coordination.bilingual import text_in
from coordination.rest.reading import Computed, Localized, Reader, Reading, Rows, Texts, Values

PRECISIONS = [(precision.value, precision.value) for precision in Precision]


class Stamped(Reading):
    """What every object has: its outside id, its version and when it changed last."""

    uid = serializers.UUIDField()
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()


class AllianceReading(Stamped):
    """An alliance."""

    class Meta:
        model = Alliance

    slug = serializers.CharField()
    kind = serializers.ChoiceField(choices=AllianceKind.choices)
    name = Localized("name")
    name_i18n = Texts("name")
    short_name = Localized("short_name")
    short_name_i18n = Texts("short_name")
    description = Localized("description")
    description_i18n = Texts("description")
    founded_on = serializers.DateField(allow_null=True)
    website = serializers.CharField()
    email = serializers.CharField()
    time_zone = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    illustrative = serializers.BooleanField()


class BodyReading(Stamped):
    """A body of an alliance."""

    class Meta:
        model = Body

    alliance = serializers.CharField(source="alliance.slug")
    kind = serializers.ChoiceField(choices=BodyKind.choices)
    name = Localized("name")
    name_i18n = Texts("name")
    term_years = serializers.IntegerField(allow_null=True)


class OrganizationReading(Stamped):
    """A zone, a city or another body."""

    class Meta:
        model = Organization

    kind = serializers.ChoiceField(choices=OrganizationKind.choices)
    name = Localized("name")
    name_i18n = Texts("name")
    name_local = serializers.CharField()
    local_language = serializers.CharField()
    country = serializers.CharField()
    time_zone = serializers.CharField()
    website = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    illustrative = serializers.BooleanField()
    merged_into = serializers.UUIDField(source="merged_into.uid", allow_null=True)
    aliases = Values(serializers.CharField(), source="aliases", value="name", order_by=("pk",))


def _display_name(reader: Reader, *names: str) -> str:
    """Return the name in this alliance, else the organization's own."""
    own = text_in(reader.language, names[0], names[1])
    return own or text_in(reader.language, names[2], names[3])


class MembershipReading(Stamped):
    """An organization's membership in an alliance; `ends_on` is the first day without it."""

    class Meta:
        model = Membership

    alliance = serializers.CharField(source="alliance.slug")
    organization = serializers.UUIDField(source="organization.uid")
    organization_name = Localized("organization.name")
    display_name = Computed(
        serializers.CharField(),
        needs=(
            "display_name_zh",
            "display_name_en",
            "organization.name_zh",
            "organization.name_en",
        ),
        make=_display_name,
        sees=True,
    )
    display_name_i18n = Texts("display_name")
    role = serializers.ChoiceField(choices=MembershipRole.choices)
    tier = serializers.CharField()
    tags = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    end_reason = serializers.CharField()


class ChairTermReading(Stamped):
    """A term in the rotating chair of a body; `ends_on` is the first day without it."""

    class Meta:
        model = ChairTerm

    alliance = serializers.CharField(source="body.alliance.slug")
    body = serializers.UUIDField(source="body.uid")
    organization = serializers.UUIDField(source="organization.uid")
    organization_name = Localized("organization.name")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)


def _if_open(is_open: bool, value: str | None) -> str | None:
    return (value or "") if is_open else None


class PersonReading(Stamped):
    """A person. Mail and telephone are null for those who may not see them."""

    class Meta:
        model = Person

    name = Localized("details.name")
    name_i18n = Texts("details.name")
    title = Localized("details.title")
    title_i18n = Texts("details.title")
    email = Computed(
        serializers.CharField(allow_null=True),
        needs=("contact_is_open", "details.email"),
        make=_if_open,
    )
    phone = Computed(
        serializers.CharField(allow_null=True),
        needs=("contact_is_open", "details.phone"),
        make=_if_open,
    )
    erased_at = serializers.DateTimeField(allow_null=True)


class SeatReading(Stamped):
    """A person's seat for an organization or in a body; `ends_on` is the first day without it."""

    class Meta:
        model = Seat

    person = serializers.UUIDField(source="person.uid")
    person_name = Localized("person.details.name")
    role = serializers.ChoiceField(choices=SeatRole.choices)
    organization = serializers.UUIDField(source="organization.uid", allow_null=True)
    organization_name = Localized("organization.name")
    body = serializers.UUIDField(source="body.uid", allow_null=True)
    body_name = Localized("body.name")
    alliance = serializers.CharField(source="body.alliance.slug", allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)


class PlanReading(Stamped):
    """An annual plan or a campaign; `ends_on` is its last day."""

    class Meta:
        model = Plan

    alliance = serializers.CharField(source="alliance.slug")
    kind = serializers.ChoiceField(choices=PlanKind.choices)
    slug = serializers.CharField()
    year = serializers.IntegerField()
    title = Localized("title")
    title_i18n = Texts("title")
    note = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    document_number = serializers.CharField()
    target_number = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=PlanState.choices)
    openness = serializers.ChoiceField(choices=Openness.choices)
    edition = serializers.IntegerField()
    adopted_on = serializers.DateField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    illustrative = serializers.BooleanField()


class WorkAreaReading(Stamped):
    """An area of work of a plan."""

    class Meta:
        model = WorkArea

    plan = serializers.UUIDField(source="plan.uid")
    position = serializers.IntegerField()
    name = Localized("name")
    name_i18n = Texts("name")
    color = serializers.IntegerField(min_value=1, max_value=8)


class HostReading(Reading):
    """A host of a plan line: the name as written, and the organization it means, if known."""

    name = serializers.CharField()
    organization = serializers.UUIDField(source="organization.uid", allow_null=True)


class WindowShape(serializers.Serializer[Any]):
    """When a line is to be held once: first and last day, as precisely as it is known."""

    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    precision = serializers.ChoiceField(choices=PRECISIONS)
    start_time = serializers.CharField(allow_null=True)
    end_time = serializers.CharField(allow_null=True)


class WholeWindowShape(serializers.Serializer[Any]):
    """The time of a line as written, and what it was read as."""

    text = serializers.CharField()
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    precision = serializers.ChoiceField(choices=PRECISIONS)


def whole_window(text: str, start: Any, end: Any, precision: str) -> dict[str, Any]:
    """Return the whole time of a line, from the first day to the last (inclusive)."""
    return {"text": text, "start": start, "end": end, "precision": precision}


class PlanItemReading(Stamped):
    """A line of a plan, as it stands now."""

    class Meta:
        model = PlanItem

    plan = serializers.UUIDField(source="plan.uid")
    work_area = serializers.UUIDField(source="work_area.uid", allow_null=True)
    position = serializers.IntegerField()
    number = serializers.CharField()
    title = Localized("title")
    title_i18n = Texts("title")
    type_text = serializers.CharField()
    place_text = serializers.CharField()
    participants_text = serializers.CharField()
    notes = serializers.CharField()
    window = Computed(
        WholeWindowShape(),
        needs=("window_text", "starts_on", "ends_on", "precision"),
        make=whole_window,
    )
    windows = Computed(WindowShape(many=True), needs=("windows",), make=list)
    occurrences = Computed(serializers.IntegerField(), needs=("windows",), make=len)
    hosts = Rows(HostReading(), source="hosts", order_by=("position",))
    carried_from = serializers.UUIDField(source="carried_from.uid", allow_null=True)
    since_edition = serializers.IntegerField(allow_null=True)
    dropped_on = serializers.DateField(allow_null=True)
    drop_reason = serializers.CharField()


class EditionReading(Stamped):
    """An edition of a plan: adopted and unchangeable, or the draft of the next."""

    class Meta:
        model = Edition

    plan = serializers.UUIDField(source="plan.uid")
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=EditionState.choices)
    reason = serializers.CharField()
    document_number = serializers.CharField()
    adopted_on = serializers.DateField(allow_null=True)


class EditionLineShape(serializers.Serializer[Any]):
    """A line as an edition has it."""

    uid = serializers.UUIDField()
    position = serializers.IntegerField()
    number = serializers.CharField()
    title = serializers.CharField()
    title_i18n = Texts("title")
    work_area = serializers.CharField()
    work_area_i18n = Texts("work_area")
    type_text = serializers.CharField()
    place_text = serializers.CharField()
    participants_text = serializers.CharField()
    notes = serializers.CharField()
    window = WholeWindowShape()
    windows = WindowShape(many=True)
    host_names = serializers.ListField(child=serializers.CharField())


class EditionLinesShape(serializers.Serializer[Any]):
    """The lines of an edition."""

    edition = serializers.IntegerField()
    lines = EditionLineShape(many=True)


class LineChangeShape(serializers.Serializer[Any]):
    """A line that differs between two editions."""

    uid = serializers.UUIDField()
    change = serializers.ChoiceField(choices=["new", "moved", "changed", "dropped"])
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    reason = serializers.CharField()
    actor = serializers.CharField()
    before = EditionLineShape(allow_null=True)
    after = EditionLineShape(allow_null=True)


ComparisonShape = type(
    "ComparisonShape",
    (serializers.Serializer,),
    {
        "__doc__": "What differs between two editions.",
        "from": serializers.IntegerField(),
        "to": serializers.IntegerField(),
        "changes": LineChangeShape(many=True),
    },
)


class CarriedShape(serializers.Serializer[Any]):
    """The lines that were made in the other plan."""

    carried = serializers.ListField(child=serializers.UUIDField())
