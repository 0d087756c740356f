from datetime import datetime, timedelta
from uuid import UUID

import pytest

from coordination.accounts.models import User
from coordination.deliveries.fanout import enqueue, fan_out, fan_out_to_endpoints
from coordination.deliveries.models import Delivery, Endpoint
from coordination.deliveries.recipients import RecipientKey
from tests.coordination.deliveries.stage import cause

pytestmark = pytest.mark.django_db


def people(count: int) -> None:
    User.objects.bulk_create(
        User(username=f"p{number}", uid=UUID(int=number + 1)) for number in range(count)
    )


def keys() -> list[str]:
    return [f"user:{UUID(int=number + 1)}" for number in range(3)]


def test_fan_out_to_a_queryset_writes_one_line_each() -> None:
    people(3)
    recipients = User.objects.annotate(recipient=RecipientKey("user", "uid"))

    new = fan_out(recipients, channel="post", cause=cause())

    assert new == 3
    assert list(Delivery.objects.order_by("recipient").values_list("recipient", flat=True)) == (
        keys()
    )
    assert list(Endpoint.objects.order_by("owner").values_list("owner", "name", "channel")) == [
        (key, "", "post") for key in keys()
    ]


def test_fan_out_stores_every_value_of_the_cause(at: datetime) -> None:
    people(1)
    subject = UUID(int=99)
    recipients = User.objects.annotate(recipient=RecipientKey("user", "uid"))

    fan_out(
        recipients,
        channel="post",
        cause=cause(
            "41",
            generation=3,
            send_after=at + timedelta(hours=8),
            expires_at=at + timedelta(days=1),
            about_type="events.event",
            about_uid=subject,
            digest="morning",
            never_twice=True,
        ),
    )

    row = Delivery.objects.select_related("endpoint").get()
    assert (row.source, row.source_id, row.generation) == ("notice", "41", 3)
    assert (row.due_at, row.send_after) == (at, at + timedelta(hours=8))
    assert row.expires_at == at + timedelta(days=1)
    assert (row.about_type, row.about_uid) == ("events.event", subject)
    assert (row.digest, row.never_twice, row.dropped_reason) == ("morning", True, "")
    assert (row.message_id, row.endpoint.owner) == (None, keys()[0])
    assert row.created_at is not None


def test_fan_out_again_writes_nothing() -> None:
    people(3)
    recipients = User.objects.annotate(recipient=RecipientKey("user", "uid"))
    fan_out(recipients, channel="post", cause=cause())

    assert fan_out(recipients, channel="post", cause=cause()) == 0
    assert Delivery.objects.count() == 3


def test_fan_out_after_someone_joined_adds_only_them() -> None:
    people(2)
    recipients = User.objects.annotate(recipient=RecipientKey("user", "uid"))
    fan_out(recipients, channel="post", cause=cause())
    User.objects.create(username="late", uid=UUID(int=77))

    assert fan_out(recipients, channel="post", cause=cause()) == 1
    assert Delivery.objects.count() == 3


def test_fan_out_of_the_next_generation_tells_everyone_again() -> None:
    people(2)
    recipients = User.objects.annotate(recipient=RecipientKey("user", "uid"))
    fan_out(recipients, channel="post", cause=cause())

    assert fan_out(recipients, channel="post", cause=cause(generation=2)) == 2
    assert Endpoint.objects.count() == 2


def test_fan_out_of_the_same_person_twice_in_the_queryset_writes_one_line() -> None:
    people(1)
    one = User.objects.annotate(recipient=RecipientKey("user", "uid"))

    new = fan_out(
        one.values("recipient").union(one.values("recipient"), all=True),
        channel="post",
        cause=cause(),
    )

    assert new == 1


def test_fan_out_to_nobody_writes_nothing() -> None:
    nobody = User.objects.none().annotate(recipient=RecipientKey("user", "uid"))

    assert fan_out(nobody, channel="post", cause=cause()) == 0


def test_fan_out_to_endpoints_writes_one_line_for_each_of_one_owner() -> None:
    for name in ("office", "group"):
        Endpoint.objects.create(channel="hook", owner="alliance:1", name=name)
    Endpoint.objects.create(channel="other", owner="alliance:1", name="office")

    new = fan_out_to_endpoints(Endpoint.objects.all(), channel="hook", cause=cause())

    assert new == 2
    assert set(Delivery.objects.values_list("recipient", "endpoint__name")) == {
        ("alliance:1", "office"),
        ("alliance:1", "group"),
    }


def test_enqueue_the_same_key_twice_writes_one_line() -> None:
    assert enqueue(["box:1", "box:2", "box:1"], channel="post", cause=cause()) == 2
    assert enqueue(["box:1", "box:2"], channel="post", cause=cause()) == 0
    assert Delivery.objects.count() == 2
