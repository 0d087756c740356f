"""The demo world: complete, honest about what is invented, and loaded once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from alliances.models import Alliance, Membership, Organization, Plan, WorkArea
from coordination.accounts.models import User
from coordination.changes.models import Change
from coordination.demo.people import USERNAMES
from coordination.demo.world import load_world
from events.models import Event

pytestmark = pytest.mark.django_db


def test_demo_loaded_again_changes_nothing() -> None:
    call_command("demo")
    changes, users = Change.objects.count(), User.objects.count()

    call_command("demo")

    assert (Change.objects.count(), User.objects.count()) == (changes, users)
    assert set(USERNAMES) == {
        "admin",
        "secretary",
        "liaison",
        "chair",
        "observer",
        "city-liaison",
    }
    assert User.objects.filter(username__in=USERNAMES).count() == 6


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 21, 6, tzinfo=UTC),
        datetime(2028, 2, 29, 15, 30, tzinfo=UTC),
        datetime(2026, 12, 31, 15, 59, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
        datetime(2027, 3, 31, 12, 0, tzinfo=UTC),
    ],
)
def test_demo_has_something_past_present_and_coming_on_any_day(at: datetime) -> None:
    load_world(at=at, say=lambda line: None)

    plan = Plan.objects.get(alliance__slug="jjj", illustrative=True)
    events = Event.objects.filter(plan=plan)
    assert events.count() == 24
    assert plan.starts_on < at.date() < plan.ends_on
    assert events.filter(state="held").exists()
    assert events.filter(starts_at__lte=at, ends_at__gt=at).exists()
    assert events.filter(starts_at__gt=at).count() > 3
    assert set(events.values_list("state", flat=True)) == {
        "planned",
        "scheduled",
        "confirmed",
        "postponed",
        "cancelled",
        "held",
    }


def test_demo_of_2024_is_the_workbook_of_24_events_in_7_areas(db: None) -> None:
    load_world(at=datetime(2026, 11, 21, 6, tzinfo=UTC), say=lambda line: None)

    plan = Plan.objects.get(alliance__slug="jjj", slug="2024")
    events = Event.objects.filter(plan=plan)
    assert (plan.state, plan.edition, plan.target_number) == ("published", 1, 24)
    assert events.count() == 24
    assert WorkArea.objects.filter(plan=plan).count() == 7
    assert list(events.filter(illustrative=False).values_list("title_zh", flat=True)) == [
        "走进天津天开园"
    ]
    assert set(events.values_list("state", flat=True)) == {"held", "cancelled"}


def test_demo_has_a_campaign_of_232_and_cities_on_five_continents() -> None:
    load_world(at=datetime(2026, 11, 21, 6, tzinfo=UTC), say=lambda line: None)

    campaign = Plan.objects.get(kind="campaign")
    cities = Organization.objects.filter(memberships__alliance__slug="dec40")
    assert Event.objects.filter(plan=campaign).count() == 232
    assert WorkArea.objects.filter(plan=campaign).count() == 3
    assert {zone.partition("/")[0] for zone in cities.values_list("time_zone", flat=True)} == {
        "Africa",
        "America",
        "Asia",
        "Europe",
        "Pacific",
    }


def test_demo_says_of_everything_where_it_comes_from() -> None:
    load_world(at=datetime(2026, 11, 21, 6, tzinfo=UTC), say=lambda line: None)

    for model in (Alliance, Organization, Plan, Event):
        assert list(model.objects.filter(source="")) == []
        for row in model.objects.filter(illustrative=True):
            assert "示例" in row.source
    assert Membership.objects.filter(alliance__slug="jjj").count() == 9
    assert Membership.objects.filter(alliance__slug="dongbei").count() == 19
