import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer
from coordination.changes.models import Change
from tests.factories import Cast, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    if viewer.user_id is not None:
        client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def test_changes_shows_a_secretariat_its_own_and_a_superuser_all(cast: Cast):
    make_event(cast.alliance, title_zh="京津冀的会")
    make_event(cast.other, title_zh="东北的会")

    pages = {
        name: as_viewer(getattr(cast, name)).get("/changes/").content.decode()
        for name in ("secretary", "superuser")
    }

    assert [("京津冀的会" in page, "东北的会" in page) for page in pages.values()] == [
        (True, False),
        (True, True),
    ]


def test_changes_is_for_secretariats(cast: Cast):
    assert as_viewer(cast.member_liaison).get("/changes/").status_code == 403
    assert as_viewer(cast.public).get("/changes/").status_code == 302


@pytest.mark.parametrize("before", ["1", "x", "²", "9" * 30, "-1"])
def test_changes_before_any_number_answers(cast: Cast, before: str):
    response = as_viewer(cast.superuser).get(f"/changes/?before={before}")

    expected = 0 if before == "1" else min(Change.objects.count(), 100)
    assert (response.status_code, len(response.context["changes"])) == (200, expected)
