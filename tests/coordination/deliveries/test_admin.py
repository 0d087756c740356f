from datetime import datetime, timedelta
from typing import Any

import pytest

from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.holding import hold, hold_period
from coordination.deliveries.models import Endpoint, HoldPeriod, Message
from tests.coordination.deliveries.stage import Boxes, Notices, Post, queue
from tests.factories import make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _stage(source: Notices, boxes: Boxes, post: Post) -> None:
    """All three are there for every test."""


@pytest.fixture
def admin(client: Any) -> Any:
    client.force_login(make_user("root", is_superuser=True))
    return client


def chosen(action: str, *rows: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [row.pk for row in rows]}


def states() -> list[str]:
    return list(Message.objects.order_by("recipient", "pk").values_list("state", flat=True))


def test_release_of_a_period_lets_go_what_it_holds(admin: Any, at: datetime) -> None:
    queue("box:1", "box:2", due_at=at - HOUR, send_after=at - HOUR)
    bundle_due(at)
    period = hold_period(from_at=at - HOUR, until_at=at, reason="restored")
    assert states() == ["held", "held"]

    answer = admin.post("/admin/deliveries/holdperiod/", chosen("release", period), follow=True)

    assert answer.status_code == 200
    assert states() == ["pending", "pending"]
    assert HoldPeriod.objects.filter(released_at=None).exists() is False


def test_release_of_messages_leaves_the_others_held(admin: Any, at: datetime) -> None:
    queue("box:1", "box:2", due_at=at - HOUR, send_after=at - HOUR)
    bundle_due(at)
    hold(Message.objects.all(), reason="by_hand")
    first = Message.objects.earliest("pk")

    admin.post("/admin/deliveries/message/", chosen("release", first))

    assert states() == ["pending", "held"]


def test_try_again_moves_failed_messages_alone(admin: Any, at: datetime) -> None:
    queue("box:1", "box:2", due_at=at - HOUR, send_after=at - HOUR)
    bundle_due(at)
    first, second = Message.objects.order_by("recipient", "pk")
    Message.objects.filter(pk=first.pk).update(state="dead")
    hold(Message.objects.filter(pk=second.pk), reason="by_hand")

    admin.post("/admin/deliveries/message/", chosen("try_again", first, second))

    assert states() == ["pending", "held"]


@pytest.mark.parametrize("model", ["message", "holdperiod", "endpoint"])
def test_rows_of_the_ledger_are_read_only(admin: Any, at: datetime, model: str) -> None:
    queue("box:1", due_at=at - HOUR, send_after=at - HOUR)
    bundle_due(at)
    hold_period(from_at=at - HOUR, until_at=at, reason="restored")
    Endpoint.objects.update(secret="whsec-never-shown")
    models = {"message": Message, "holdperiod": HoldPeriod, "endpoint": Endpoint}
    row = models[model]._default_manager.get()

    page = admin.get(f"/admin/deliveries/{model}/{row.pk}/change/")

    assert (admin.get(f"/admin/deliveries/{model}/").status_code, page.status_code) == (200, 200)
    assert "whsec-never-shown" not in page.content.decode()
    assert admin.post(f"/admin/deliveries/{model}/{row.pk}/change/", {}).status_code == 403
    assert admin.post(f"/admin/deliveries/{model}/{row.pk}/delete/", {}).status_code == 403
    assert admin.get(f"/admin/deliveries/{model}/add/").status_code == 403
