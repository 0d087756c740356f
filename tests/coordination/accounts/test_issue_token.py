from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from coordination.accounts.authentication import find_app_password, find_bearer
from coordination.accounts.models import ApiToken
from tests.conftest import NOW
from tests.coordination.accounts.test_authentication import basic
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def issue(capsys, *arguments):
    call_command("issue_token", *arguments)
    return capsys.readouterr()


def test_issue_token_prints_the_secret_alone(capsys, fixed_clock):
    make_user("li")

    printed = issue(capsys, "LI")

    token = ApiToken.objects.get()
    assert printed.err == ""
    assert find_bearer(f"Bearer {printed.out.removesuffix(chr(10))}", at=NOW) == token
    assert (token.scopes, token.limits, token.expires_at) == (["*:*"], [], None)


def test_issue_token_with_every_option_keeps_them(capsys, fixed_clock, cast):
    printed = issue(
        capsys,
        "secretary",
        "--app-password",
        "--scope",
        "*:read",
        "--scope=*:write,*:read",
        "--alliance",
        "jjj",
        "--expires",
        "30",
        "--name",
        "phone",
    )

    token = ApiToken.objects.get()
    assert find_app_password(basic("secretary", printed.out.strip()), at=NOW) == token
    assert (token.kind, token.name) == ("app_password", "phone")
    assert token.scopes == ["*:read", "*:write"]
    assert token.limits == [f"alliance:{cast.alliance.pk}"]
    assert token.expires_at == NOW + timedelta(days=30)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nobody",),
        ("",),
        ("li", "--scope", "everything"),
        ("li", "--alliance", "nowhere"),
        ("li", "--expires", "0"),
        ("li", "--expires", "99999999999"),
        ("li", "--name", "x" * 101),
        ("closed",),
    ],
)
def test_issue_token_refused_leaves_with_two_and_one_sentence(arguments, capsys):
    make_user("li")
    make_user("closed", is_active=False)

    with pytest.raises(CommandError) as caught:
        call_command("issue_token", *arguments, stdout=StringIO())

    assert caught.value.returncode == 2
    assert len(str(caught.value).splitlines()) == 1
    assert (capsys.readouterr().out, ApiToken.objects.count()) == ("", 0)
