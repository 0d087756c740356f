"""What leaves the building about events, as far as each reader may see it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework import serializers

from alliances.models import Openness
from coordination.accounts.viewer import Viewer, scopes_of
from coordination.bilingual import text_in
from coordination.rest.reading import Computed, Localized, Reader, Reading, Rows, Texts, Values
from events.models import Event, EventFormat, EventState
from events.zones import zone_named

PUBLIC_SCOPE = "public"


def at_own_offset(instant: datetime | None, zone: str) -> datetime | None:
    """Return an instant with the offset that its own zone has then."""
    return None if instant is None else instant.astimezone(zone_named(zone))


def is_inside(reader: Reader, concerns: str) -> bool:
    """Return whether the reader may see what is for members: see `rules.may_see_member_details`.

    `concerns` names the scopes that see the event; whoever holds one besides "public" is inside.
    """
    if reader.viewer.is_unlimited:
        return True
    inner = _inner_scopes(reader.viewer)
    return bool(inner) and not inner.isdisjoint(concerns.split())


@lru_cache(maxsize=512)
def _inner_scopes(viewer: Viewer) -> frozenset[str]:
    """Return the scopes that the viewer holds beside the public one."""
    return frozenset(scopes_of(viewer)) - {PUBLIC_SCOPE} if viewer.grants else frozenset()


def for_insiders(reader: Reader, concerns: str, text: str) -> str | None:
    """Return a text that only members, co-hosts, hosts and those named may see; None to others."""
    return text if is_inside(reader, concerns) else None


def for_secretariat(reader: Reader, alliance: int, text: str) -> str | None:
    """Return a text that only the owner's secretariat may see; None to others."""
    viewer = reader.viewer
    allowed = viewer.is_unlimited or viewer.has("secretariat", "alliance", alliance)
    return text if allowed else None


def first_day(starts: datetime | None) -> date | None:
    """Return the first day of an agreed time, in its own zone."""
    return None if starts is None else starts.date()


def last_day(starts: datetime | None, ends: datetime | None) -> date | None:
    """Return the last day of an agreed time, included; an end at midnight is not that day."""
    if starts is None or ends is None:
        return None
    return max(starts.date(), (ends - timedelta(microseconds=1)).date())


def page_of_event(uid: UUID) -> str:
    """Return the address of the event's page."""
    return f"{settings.COORDINATION_BASE_URL}/events/{uid}/"


def coordinates_of(latitude: Decimal | None, longitude: Decimal | None) -> dict[str, float] | None:
    """Return both coordinates, or None."""
    if latitude is None or longitude is None:
        return None
    return {"latitude": float(latitude), "longitude": float(longitude)}


def window_of(text: str, start: date | None, end: date | None, precision: str) -> dict[str, Any]:
    """Return the planned window as it was written and read."""
    return {"text": text, "start": start, "end": end, "precision": precision}


def previous_of(starts: datetime | None, ends: datetime | None, zone: str) -> dict[str, Any] | None:
    """Return the time before it was postponed, or None."""
    if starts is None or ends is None or not zone:
        return None
    info = zone_named(zone)
    return {
        "starts_at": starts.replace(tzinfo=info),
        "ends_at": ends.replace(tzinfo=info),
        "time_zone": zone,
    }


def host_name(reader: Reader, written: str, zh: str | None, en: str | None) -> str:
    """Return a host's name: the organization's in the reader's language, else as it was written."""
    return text_in(reader.language, zh or "", en or "") or written


class EventWindowReading(Reading):
    """A planned time of known precision; `end` is the last day, included."""

    text = serializers.CharField()
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True)
    precision = serializers.CharField()


class PreviousTimeReading(Reading):
    """The time that was agreed before."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    time_zone = serializers.CharField()


class CoordinatesReading(Reading):
    """A point on the map, in degrees (WGS 84)."""

    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class EventHostReading(Reading):
    """A host: an organization, or a name that none is known by."""

    name = Computed(
        serializers.CharField(),
        needs=("name", "organization.name_zh", "organization.name_en"),
        make=host_name,
        sees=True,
    )
    organization = serializers.UUIDField(source="organization.uid", allow_null=True)


class EventWorkAreaReading(Reading):
    """The area of work in which an event stands."""

    uid = serializers.UUIDField()
    name = Localized("name")
    name_i18n = Texts("name")
    color = serializers.IntegerField()


class EventReading(Reading):
    """An event, as far as the reader may see it.

    `starts_at` and `ends_at` (exclusive) carry the offset of the event's own `time_zone`;
    `starts_on` and `ends_on` (included) are its days there.
    """

    class Meta:
        model = Event

    uid = serializers.UUIDField()
    ical_uid = serializers.CharField(help_text="Its UID in every calendar, for life.")
    url = Computed(serializers.URLField(), needs=("uid",), make=page_of_event)
    alliance = serializers.SlugField(source="alliance.slug")
    plan = serializers.UUIDField(source="plan.uid", allow_null=True)
    plan_item = serializers.UUIDField(source="plan_item.uid", allow_null=True)
    occurrence = serializers.IntegerField()
    work_area = EventWorkAreaReading(allow_null=True)
    title = Localized("title")
    title_i18n = Texts("title")
    description = Localized("description")
    description_i18n = Texts("description")
    type = serializers.CharField(source="type_text")
    participants = serializers.CharField(source="participants_text")
    state = serializers.ChoiceField(choices=EventState.choices)
    audience = serializers.ChoiceField(choices=Openness.choices)
    openness = serializers.ChoiceField(choices=Openness.choices)
    format = serializers.ChoiceField(choices=EventFormat.choices)
    window = Computed(
        EventWindowReading(),
        needs=("window_text", "window_starts_on", "window_ends_on", "window_precision"),
        make=window_of,
    )
    starts_at = Computed(
        serializers.DateTimeField(allow_null=True),
        needs=("starts_at", "time_zone"),
        make=at_own_offset,
    )
    ends_at = Computed(
        serializers.DateTimeField(allow_null=True),
        needs=("ends_at", "time_zone"),
        make=at_own_offset,
    )
    time_zone = serializers.CharField()
    all_day = serializers.BooleanField()
    starts_on = Computed(
        serializers.DateField(allow_null=True), needs=("starts_wall",), make=first_day
    )
    ends_on = Computed(
        serializers.DateField(allow_null=True), needs=("starts_wall", "ends_wall"), make=last_day
    )
    previous = Computed(
        PreviousTimeReading(allow_null=True),
        needs=("previous_starts_wall", "previous_ends_wall", "previous_time_zone"),
        make=previous_of,
    )
    reason = serializers.CharField()
    hosts = Rows(EventHostReading(), source="hosts", order_by=("event", "position"))
    co_hosts = Values(
        serializers.SlugField(), source="co_hosts", value="alliance.slug", order_by=("pk",)
    )
    organizations = Values(
        serializers.UUIDField(), source="named", value="organization.uid", order_by=("pk",)
    )
    place = Localized("place")
    place_i18n = Texts("place")
    address = serializers.CharField()
    coordinates = Computed(
        CoordinatesReading(allow_null=True), needs=("latitude", "longitude"), make=coordinates_of
    )
    online_url = Computed(
        serializers.CharField(allow_null=True),
        needs=("concerns", "online_url"),
        make=for_insiders,
        sees=True,
    )
    contact = Computed(
        serializers.CharField(allow_null=True),
        needs=("concerns", "contact"),
        make=for_insiders,
        sees=True,
    )
    notes = Computed(
        serializers.CharField(allow_null=True),
        needs=("alliance_id", "notes"),
        make=for_secretariat,
        sees=True,
    )
    outcome = Localized("outcome")
    outcome_i18n = Texts("outcome")
    attendance = serializers.IntegerField(allow_null=True)
    held_on = serializers.DateField(allow_null=True)
    cancelled_on = serializers.DateField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    illustrative = serializers.BooleanField()
    sequence = serializers.IntegerField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class FieldChangeReading(Reading):
    """One field of a change, in words; an empty text means that there was nothing."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    before = serializers.CharField()
    after = serializers.CharField()


class HistoryEntryReading(Reading):
    """One change in words: who did what, when and why."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    words = serializers.CharField()
    words_i18n = Texts("words")
    actor = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    version = serializers.IntegerField()
    fields = serializers.ListField(child=FieldChangeReading())  # type: ignore[assignment]
