"""The clock records access that begins or ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from alliances import seating
from alliances.expiring import record_access_changes
from alliances.joining import appoint_chair, end_membership
from alliances.models import Membership, Seat
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change, ChangeScope
from tests.factories import (
    AT,
    Cast,
    make_alliance,
    make_body,
    make_member,
    make_organization,
    make_person,
    viewer_of,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def kinds_since(number: int) -> list[str]:
    rows = Change.objects.filter(number__gt=number).order_by("number")
    return list(rows.values_list("kind", flat=True))


def test_record_access_changes_the_first_time_only_sets_the_mark(cast: Cast) -> None:
    last = Change.objects.count()

    assert record_access_changes(at=AT) == 0

    assert kinds_since(last) == []


def test_record_access_changes_says_once_what_began_and_what_ended() -> None:
    alliance, organization = make_alliance(), make_organization()
    body = make_body(alliance)
    make_member(alliance, organization, ends_on=date(2028, 2, 1))
    make_member(alliance, organization, starts_on=date(2028, 2, 1))
    appoint_chair(body, organization, starts_on=date(2028, 2, 1), viewer=SYSTEM, at=AT)
    make_person("chair", role="chair", body=body, starts_on=date(2028, 2, 2))
    record_access_changes(at=AT)
    last = Change.objects.count()

    midnight = datetime(2028, 1, 31, 16, 0, tzinfo=UTC)  # 1 February in Beijing
    assert record_access_changes(at=midnight - timedelta(minutes=1)) == 0
    assert record_access_changes(at=midnight) == 3
    assert record_access_changes(at=midnight) == 0
    assert record_access_changes(at=midnight + 5 * DAY) == 1

    assert kinds_since(last) == [
        "membership.took_effect",
        "membership.lapsed",
        "chair_term.took_effect",
        "seat.took_effect",
    ]
    scopes = ChangeScope.objects.filter(number=last + 2).values_list("scope", flat=True)
    assert set(scopes) == {
        "public",
        f"alliance:{alliance.pk}:members",
        f"alliance:{alliance.pk}:secretariat",
        f"organization:{organization.pk}",
    }


def test_record_access_changes_passes_over_what_was_entered_on_its_day() -> None:
    alliance, organization = make_alliance(), make_organization()
    record_access_changes(at=AT)
    make_member(alliance, organization, starts_on=date(2028, 1, 5))

    assert record_access_changes(at=AT + 3 * DAY) == 0


def test_record_access_changes_after_an_early_end_says_that_it_lapsed(cast: Cast) -> None:
    record_access_changes(at=AT)
    membership = Membership.objects.get(organization=cast.member)
    end_membership(membership, on=date(2028, 1, 15), reason="撤销", viewer=cast.secretary, at=AT)
    last = Change.objects.count()

    assert record_access_changes(at=AT + 7 * DAY) == 1

    assert kinds_since(last) == ["membership.lapsed"]


def test_hand_over_on_a_later_day_leaves_the_tokens_until_that_day(cast: Cast) -> None:
    record_access_changes(at=AT)
    old = User.objects.get(username="liaison")
    issue_token(old, name="phone", viewer=viewer_of(old), at=AT)
    seat = Seat.objects.select_related("person__user").get(person__user=old)
    day = date(2028, 1, 20)

    seating.hand_over_seat(seat, make_person("next"), on=day, viewer=cast.member_liaison, at=AT)

    assert list(ApiToken.objects.values_list("revoked_at", flat=True)) == [None]
    then = AT + 10 * DAY
    assert record_access_changes(at=then) == 2
    assert list(ApiToken.objects.values_list("revoked_at", flat=True)) == [then]


def test_seat_that_ends_without_a_successor_keeps_its_tokens(cast: Cast) -> None:
    record_access_changes(at=AT)
    old = User.objects.get(username="liaison")
    issue_token(old, name="phone", viewer=viewer_of(old), at=AT)
    seat = Seat.objects.get(person__user=old)
    seating.end_seat(seat, on=date(2028, 1, 20), viewer=cast.secretary, at=AT)

    record_access_changes(at=AT + 10 * DAY)

    assert list(ApiToken.objects.values_list("revoked_at", flat=True)) == [None]
