from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from coordination.accounts import viewer as viewers
from coordination.accounts.models import ApiToken
from coordination.accounts.viewer import (
    PUBLIC,
    SYSTEM,
    Grant,
    Viewer,
    register_grants,
    scopes_of,
    viewer_for,
)
from tests.conftest import NOW
from tests.factories import make_user

GRANTS = frozenset(
    {
        Grant("secretariat", "alliance", 3),
        Grant("member", "alliance", 4),
        Grant("liaison", "organization", 7),
    }
)


@pytest.fixture
def given(monkeypatch):
    """Replace what the domains supply, and note what they were asked."""
    asked = []

    def provider(user_id, on):
        asked.append((user_id, on))
        return GRANTS

    monkeypatch.setattr(viewers, "_providers", [])
    register_grants(provider)
    register_grants(provider)
    return asked


@pytest.mark.django_db
def test_viewer_for_person_asks_each_provider_once_for_the_day_in_china(given):
    user = make_user("li", time_zone="America/New_York")

    viewer = viewer_for(user, at=datetime(2028, 3, 31, 16, 0, tzinfo=UTC), language="en")

    assert [(user_id, str(on)) for user_id, on in given] == [(user.pk, "2028-04-01")]
    assert viewer == Viewer(
        user_id=user.pk,
        username="li",
        language="en",
        time_zone="America/New_York",
        grants=GRANTS,
        uid=user.uid,
    )


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["none", "anonymous", "inactive"])
def test_viewer_for_nobody_is_public_in_their_language(given, kind):
    user = {"none": None, "anonymous": AnonymousUser()}.get(kind)
    if kind == "inactive":
        user = make_user("gone", is_active=False, is_superuser=True)

    viewer = viewer_for(user, at=NOW, language="en")

    assert viewer == Viewer(user_id=None, language="en")
    assert viewer.is_authenticated is False
    assert given == []


@pytest.mark.django_db
def test_viewer_for_limited_token_keeps_only_what_it_names(given):
    token = ApiToken(scopes=["events:read"], limits=["alliance:3", "alliance:9"])

    viewer = viewer_for(make_user("li"), at=NOW, language="en", token=token)

    assert viewer.grants == {Grant("secretariat", "alliance", 3)}
    assert viewer.token_scopes == {"events:read"}


@pytest.mark.django_db
def test_viewer_for_superusers_limited_token_is_the_named_secretariat(given):
    token = ApiToken(scopes=["*:*"], limits=["alliance:9"])
    root = make_user("root", is_superuser=True)

    limited = viewer_for(root, at=NOW, language="en", token=token)

    assert viewer_for(root, at=NOW, language="en").is_unlimited is True
    assert limited.is_unlimited is False
    assert limited.grants == {Grant("secretariat", "alliance", 9)}


def test_has_and_pks_answer_for_the_exact_role():
    viewer = Viewer(user_id=1, grants=GRANTS)

    assert viewer.has("secretariat", "alliance", 3) is True
    assert viewer.has("secretariat", "alliance", 4) is False
    assert viewer.has("member", "alliance", 3) is False
    assert viewer.has("member", "alliance", None) is False
    assert viewer.pks("member", "alliance") == {4}
    assert viewer.pks("chair", "alliance") == frozenset()


@pytest.mark.parametrize(
    ("scopes", "resource", "verb", "expected"),
    [
        (None, "events", "write", True),
        ({"*:*"}, "events", "write", True),
        ({"*:read"}, "events", "read", True),
        ({"*:read"}, "events", "write", False),
        ({"*:write"}, "events", "read", True),
        ({"events:write"}, "events", "read", True),
        ({"events:write"}, "plans", "read", False),
        ({"events:*"}, "events", "write", True),
        ({"events:read"}, "events", "write", False),
        (set(), "events", "read", False),
    ],
)
def test_may_use_follows_the_tokens_scopes(scopes, resource, verb, expected):
    viewer = Viewer(user_id=1, token_scopes=None if scopes is None else frozenset(scopes))

    assert viewer.may_use(resource, verb) is expected


def test_scopes_of_each_kind_of_viewer_are_sorted_and_complete():
    assert scopes_of(PUBLIC) == ("public",)
    assert scopes_of(SYSTEM) == ("all", "public")
    assert scopes_of(Viewer(user_id=1, is_superuser=True)) == ("all", "public")
    assert scopes_of(Viewer(user_id=1, grants=GRANTS)) == (
        "alliance:3:members",
        "alliance:3:secretariat",
        "alliance:4:members",
        "organization:7",
        "public",
    )


@pytest.mark.django_db
def test_actor_names_a_person_by_uid_only():
    user = make_user("li")

    assert viewer_for(user, at=NOW, language="en").actor == f"user:{user.uid}"
    assert (PUBLIC.actor, SYSTEM.actor) == ("public", "system")


def test_viewer_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PUBLIC.is_superuser = True  # type: ignore[misc]


@pytest.mark.django_db
def test_grants_of_the_cast_cost_one_query(cast, django_assert_num_queries):
    from coordination.accounts.models import User

    user = User.objects.get(username="liaison")

    with django_assert_num_queries(1):
        viewer = viewer_for(user, at=NOW + timedelta(days=1), language="en")

    assert viewer.has("liaison", "organization", cast.member.pk) is True
