import pytest

from coordination.accounts import scoping
from coordination.accounts.scoping import (
    clean_limits,
    clean_scopes,
    find_limit,
    known_resources,
    limit_choices,
    register_resources,
)
from coordination.accounts.viewer import PUBLIC
from coordination.changes.refusals import InvalidInput


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(scoping, "_resources", set())
    register_resources(["plans", "events"])


def test_clean_scopes_sorts_and_drops_repeats(known):
    assert clean_scopes(["plans:write", "*:read", "plans:write"]) == ["*:read", "plans:write"]
    assert known_resources() == ["events", "plans"]


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "events",
        "events:",
        ":read",
        "events:delete",
        "Events:read",
        "events:read ",
        "*:*:*",
        "eve nts:read",
        "事件:read",
    ],
)
def test_clean_scopes_malformed_refuses(known, scope):
    with pytest.raises(InvalidInput) as caught:
        clean_scopes([scope])

    assert [(error.field, error.code) for error in caught.value.errors] == [("scopes", "invalid")]


def test_clean_scopes_unknown_resource_names_the_known_ones(known):
    with pytest.raises(InvalidInput) as caught:
        clean_scopes(["evnets:read"])

    error = caught.value.errors[0]
    assert error.code == "unknown"
    assert "events, plans" in str(error.message)


def test_clean_scopes_without_any_refuses():
    with pytest.raises(InvalidInput) as caught:
        clean_scopes([])

    assert caught.value.errors[0].code == "required"


@pytest.mark.parametrize(
    "limit",
    [
        "alliance",
        "alliance:",
        "alliance:0",
        "alliance:-1",
        "alliance:jjj",
        "alliance:3:4",
        "alliance:99999999999999999999",
    ],
)
def test_clean_limits_malformed_refuses(limit):
    with pytest.raises(InvalidInput) as caught:
        clean_limits([limit])

    assert caught.value.errors[0].field == "limits"


@pytest.mark.django_db
def test_find_limit_of_an_alliance_takes_its_slug(cast):
    assert find_limit("alliance", "jjj") == f"alliance:{cast.alliance.pk}"


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "name"), [("alliance", "nowhere"), ("planet", "jjj")])
def test_find_limit_unknown_refuses(cast, kind, name):
    with pytest.raises(InvalidInput) as caught:
        find_limit(kind, name)

    assert caught.value.errors[0].code == "unknown"


@pytest.mark.django_db
def test_limit_choices_are_the_viewers_own_alliances(cast):
    own = (f"alliance:{cast.alliance.pk}", cast.alliance.name_zh)
    other = (f"alliance:{cast.other.pk}", cast.other.name_zh)

    assert limit_choices(cast.secretary) == [own]
    assert sorted(limit_choices(cast.superuser)) == sorted([own, other])
    assert limit_choices(PUBLIC) == []
