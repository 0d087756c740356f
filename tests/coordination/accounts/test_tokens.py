from datetime import timedelta

import pytest

from coordination.accounts.models import ApiToken, TokenKind, User
from coordination.accounts.tokens import (
    hash_secret,
    issue_token,
    revoke_token,
    revoke_tokens_of,
    rotate_token,
)
from coordination.accounts.viewer import SYSTEM, viewer_for
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from tests.conftest import NOW
from tests.factories import make_user, viewer_of

pytestmark = pytest.mark.django_db


def test_issue_token_keeps_the_hash_and_never_the_secret():
    owner = make_user("li")

    token, secret = issue_token(owner, name=" office ", viewer=viewer_of(owner), at=NOW)

    row = ApiToken.objects.filter(pk=token.pk).values().get()
    mark, prefix, random = secret.split("_")
    assert (mark, len(prefix), len(random)) == ("coo", 8, 32)
    assert row["sha256"] == hash_secret(secret)
    assert row["prefix"] == f"coo_{prefix}"
    assert random not in "".join(str(value) for value in row.values())
    assert (row["name"], row["scopes"], row["limits"]) == ("office", ["*:*"], [])
    assert (row["kind"], row["created_at"], row["expires_at"]) == ("bearer", NOW, None)


def test_issue_token_twice_makes_different_secrets():
    owner = make_user("li")

    secrets = {issue_token(owner, name="x", viewer=SYSTEM, at=NOW).secret for _count in range(20)}

    assert len(secrets) == 20


def test_issue_token_for_somebody_else_refuses_and_stores_nothing():
    owner, other = make_user("li"), make_user("wang")

    with pytest.raises(NotAllowed):
        issue_token(owner, name="x", viewer=viewer_of(other), at=NOW)

    assert ApiToken.objects.count() == 0


def test_issue_token_by_superuser_for_somebody_else_is_the_others():
    root = make_user("root", is_superuser=True)
    owner = make_user("li")

    token, _secret = issue_token(owner, name="x", viewer=viewer_of(root), at=NOW)

    assert token.user == owner


def test_issue_token_by_a_token_refuses():
    owner = make_user("li")
    token, _secret = issue_token(owner, name="x", viewer=SYSTEM, at=NOW)
    program = viewer_for(owner, at=NOW, language="en", token=token)

    with pytest.raises(NotAllowed):
        issue_token(owner, name="y", viewer=program, at=NOW)
    with pytest.raises(NotAllowed):
        rotate_token(token, viewer=program, at=NOW)

    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"limits": ["alliance:jjj"]}, "limits"),
        ({"expires_at": NOW}, "expires_at"),
    ],
)
def test_issue_token_with_bad_input_names_the_field(values, field):
    owner = make_user("li")

    with pytest.raises(InvalidInput) as caught:
        issue_token(owner, **{"name": "x", "viewer": SYSTEM, "at": NOW} | values)

    assert [error.field for error in caught.value.errors] == [field]
    assert ApiToken.objects.count() == 0


def test_issue_token_for_closed_account_refuses():
    owner = make_user("li", is_active=False)

    with pytest.raises(InvalidInput):
        issue_token(owner, name="x", viewer=SYSTEM, at=NOW)

    assert ApiToken.objects.count() == 0


def test_rotate_token_changes_the_secret_and_nothing_else():
    owner = make_user("li")
    first = issue_token(
        owner, name="x", viewer=SYSTEM, at=NOW, kind=TokenKind.APP_PASSWORD, scopes=["*:read"]
    )
    before = ApiToken.objects.filter(pk=first.token.pk).values().get()

    second = rotate_token(first.token, viewer=viewer_of(owner), at=NOW + timedelta(days=1))

    after = ApiToken.objects.filter(pk=first.token.pk).values().get()
    assert second.secret != first.secret
    assert after["sha256"] == hash_secret(second.secret)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"sha256", "prefix"}


def test_rotate_token_no_longer_in_force_refuses():
    owner = make_user("li")
    token, _secret = issue_token(
        owner, name="x", viewer=SYSTEM, at=NOW, expires_at=NOW + timedelta(days=1)
    )

    with pytest.raises(TransitionNotAllowed):
        rotate_token(token, viewer=SYSTEM, at=NOW + timedelta(days=1))

    revoke_token(token, viewer=SYSTEM, at=NOW)
    with pytest.raises(TransitionNotAllowed):
        rotate_token(token, viewer=SYSTEM, at=NOW)


def test_revoke_token_twice_keeps_the_first_instant():
    owner = make_user("li")
    token, _secret = issue_token(owner, name="x", viewer=SYSTEM, at=NOW)

    revoke_token(token, viewer=viewer_of(owner), at=NOW)
    revoke_token(token, viewer=viewer_of(owner), at=NOW + timedelta(days=1))

    assert ApiToken.objects.get().revoked_at == NOW


def test_revoke_token_of_somebody_else_refuses():
    token, _secret = issue_token(make_user("li"), name="x", viewer=SYSTEM, at=NOW)

    with pytest.raises(NotAllowed):
        revoke_token(token, viewer=viewer_of(make_user("wang")), at=NOW)

    assert ApiToken.objects.get().revoked_at is None


def test_revoke_tokens_of_a_person_ends_theirs_only():
    li, wang = make_user("li"), make_user("wang")
    for owner in (li, li, wang):
        issue_token(owner, name="x", viewer=SYSTEM, at=NOW)

    assert revoke_tokens_of(li, viewer=SYSTEM, at=NOW) == 2

    assert list(ApiToken.objects.filter(revoked_at=None).values_list("user", flat=True)) == [
        User.objects.get(username="wang").pk
    ]
