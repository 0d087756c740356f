from uuid import UUID

import pytest
from django.db.models import Q

from coordination.accounts.viewer import PUBLIC, SYSTEM, Viewer
from coordination.deliveries import querysets
from coordination.deliveries.models import Delivery, Message
from tests.coordination.deliveries.stage import queue

pytestmark = pytest.mark.django_db

ME = UUID(int=5)
SUBJECT = UUID(int=9)


@pytest.fixture(autouse=True)
def _lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "_visibilities", [])
    queue(f"user:{ME}", "user:else", about_type="events.event", about_uid=SUBJECT)
    queue("user:else", source_id="2")


def seen(viewer: Viewer) -> tuple[int, int]:
    return Delivery.objects.visible_to(viewer).count(), Message.objects.visible_to(viewer).count()


def test_visible_to_a_person_is_what_was_sent_to_them() -> None:
    assert seen(Viewer(user_id=1, uid=ME)) == (1, 1)


def test_visible_to_the_public_is_nothing() -> None:
    assert seen(PUBLIC) == (0, 0)


def test_visible_to_superusers_and_background_work_is_all() -> None:
    assert seen(Viewer(user_id=1, is_superuser=True)) == (3, 3)
    assert seen(SYSTEM) == (3, 3)


def test_visible_to_those_whom_a_room_above_names_is_more() -> None:
    querysets.register_visibility(lambda viewer: Q(about_uid=SUBJECT))

    assert seen(Viewer(user_id=1, uid=ME)) == (2, 2)


def test_about_an_object_finds_its_lines() -> None:
    assert Delivery.objects.about("events.event", SUBJECT).with_outcome().count() == 2
