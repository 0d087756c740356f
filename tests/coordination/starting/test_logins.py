import json
import stat
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from coordination.accounts.models import User
from coordination.starting.logins import (
    ADMIN,
    apply_logins,
    keep_logins,
    kept_logins,
    logins_path,
)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def test_keep_logins_makes_each_password_once_for_its_owner_alone():
    first = keep_logins([ADMIN, "secretary"])
    second = keep_logins([ADMIN, "secretary"])

    assert first == second == json.loads(logins_path().read_text())
    assert list(first) == [ADMIN, "secretary"]
    assert len(set(first.values())) == 2
    assert stat.S_IMODE(logins_path().stat().st_mode) == 0o600


def test_keep_logins_for_one_more_leaves_the_others_alone():
    before = keep_logins([ADMIN])

    after = keep_logins([ADMIN, "chair"])

    assert after[ADMIN] == before[ADMIN]
    assert list(after) == [ADMIN, "chair"]


def test_kept_logins_without_a_file_are_none():
    assert kept_logins() == {}


@pytest.mark.django_db
def test_apply_logins_gives_passwords_only_to_those_without():
    secretary = User.objects.create_user("secretary")
    liaison = User.objects.create_user("liaison", password="chosen by hand")
    logins = {ADMIN: "a" * 16, "secretary": "s" * 16, "liaison": "l" * 16, "chair": "c" * 16}

    apply_logins(logins)

    secretary.refresh_from_db()
    liaison.refresh_from_db()
    admin = User.objects.get(username=ADMIN)
    assert secretary.check_password("s" * 16)
    assert liaison.check_password("chosen by hand")
    assert admin.check_password("a" * 16)
    assert admin.is_superuser
    assert not User.objects.filter(username="chair").exists()


@pytest.mark.django_db
def test_apply_logins_twice_changes_nothing():
    apply_logins({ADMIN: "a" * 16})
    before = User.objects.get(username=ADMIN).password

    apply_logins({ADMIN: "a" * 16})

    assert User.objects.get(username=ADMIN).password == before


def test_up_with_a_bad_address_ends_with_a_sentence():
    with pytest.raises(CommandError, match="it must be HOST:PORT"):
        call_command("up", bind="nonsense")
