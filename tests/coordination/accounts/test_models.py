import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from tests.conftest import NOW
from tests.factories import make_user


@pytest.mark.django_db
def test_save_user_with_an_address_in_other_case_refuses():
    make_user("li", email="Li@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("wang", email="li@EXAMPLE.org")

    assert list(User.objects.values_list("username", flat=True)) == ["li"]


@pytest.mark.django_db
def test_save_user_with_a_name_in_other_case_refuses():
    make_user("li")

    with pytest.raises(IntegrityError), transaction.atomic():
        make_user("LI", email="other@example.org")

    assert User.objects.count() == 1


@pytest.mark.django_db
def test_save_users_without_addresses_takes_all():
    make_user("li", email="")
    make_user("wang", email="")

    assert User.objects.filter(email="").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "asia/shanghai", "UTC+8"])
def test_clean_unknown_zone_refuses(zone):
    user = User(username="li", password="!", time_zone=zone)

    with pytest.raises(ValidationError) as caught:
        user.full_clean()

    assert list(caught.value.message_dict) == ["time_zone"]


@pytest.mark.django_db
def test_clean_taken_name_and_address_names_both():
    make_user("li")
    twin = User(username="Li", email="LI@example.org", password="!")

    with pytest.raises(ValidationError) as caught:
        twin.full_clean()

    codes = {error.code for error in caught.value.error_dict["__all__"]}
    assert codes == {"username_taken", "email_taken"}


def test_can_get_mail_after_a_bounce_needs_another_address():
    user = User(username="li", email="Li@example.org", bounced_email="li@example.org")
    assert user.can_get_mail is False

    user.email = "li@elsewhere.example"

    assert user.can_get_mail is True
    assert User(username="wang").can_get_mail is False


@pytest.mark.django_db
def test_save_token_that_expires_before_it_is_made_refuses():
    token, _secret = issue_token(make_user("li"), name="x", viewer=SYSTEM, at=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(expires_at=token.created_at)

    assert str(token) == f"x ({token.prefix}…)"
