import pytest

from coordination.accounts.preferring import change_preferences, mark_bounced
from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import InvalidInput, NotAllowed
from tests.conftest import NOW
from tests.factories import make_user, stored, viewer_of

pytestmark = pytest.mark.django_db


def test_change_preferences_of_oneself_is_kept():
    user = make_user("li")

    change_preferences(user, language="en", time_zone="Europe/Berlin", viewer=viewer_of(user))

    assert (stored(user).language, stored(user).time_zone) == ("en", "Europe/Berlin")


@pytest.mark.parametrize(
    ("language", "zone", "field"),
    [("fr", "Europe/Berlin", "language"), ("en", "Mars/Olympus", "time_zone")],
)
def test_change_preferences_unknown_value_names_the_field_and_keeps_the_old(language, zone, field):
    user = make_user("li")

    with pytest.raises(InvalidInput) as caught:
        change_preferences(user, language=language, time_zone=zone, viewer=SYSTEM)

    assert [error.field for error in caught.value.errors] == [field]
    for row in (user, stored(user)):
        assert (row.language, row.time_zone) == ("", "Asia/Shanghai")


def test_change_preferences_of_somebody_else_refuses():
    user = make_user("li")

    with pytest.raises(NotAllowed):
        change_preferences(user, language="en", time_zone="UTC", viewer=viewer_of(make_user("w")))

    assert stored(user).language == ""


def test_mark_bounced_marks_the_address_in_any_case_and_nobody_else():
    li, wang = make_user("li"), make_user("wang")

    assert mark_bounced("LI@example.org", reason="550 " + "x" * 300, at=NOW) == 1
    assert mark_bounced("", reason="550", at=NOW) == 0
    assert mark_bounced("nobody@example.org", reason="550", at=NOW) == 0

    assert (stored(li).can_get_mail, stored(wang).can_get_mail) == (False, True)
    assert (stored(li).email_bounced_at, len(stored(li).email_bounce_reason)) == (NOW, 200)
