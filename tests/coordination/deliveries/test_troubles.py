"""Whoever keeps a robot hears by mail that it was switched off: once, and not when mended."""

import pytest

from coordination.deliveries import recipients, sources
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.models import Delivery, Endpoint, Message
from coordination.deliveries.recipients import Reader
from coordination.deliveries.troubles import Troubles
from events.group_owners import owner_key
from tests.coordination.deliveries.stage import AT
from tests.factories import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def robot(cast: Cast) -> Endpoint:
    from alliances.addressing import PeopleByUid

    sources.register_source(Troubles())
    recipients.register_address_book("person", PeopleByUid())
    return Endpoint.objects.create(
        channel="wecom", owner=owner_key("alliance", cast.alliance.uid), name="联盟群",
        address="https://qyapi.weixin.qq.com/cgi-bin/webhook/send", secret="good-key-0001",
        disabled_at=AT, disabled_reason="wecom_93000",
    )  # fmt: skip


def test_fire_next_tells_the_secretariat_once(robot: Endpoint, cast: Cast) -> None:
    assert Troubles().oldest_due_at(AT) == AT

    assert (Troubles().fire_next(AT), Troubles().fire_next(AT)) == (True, False)

    line = Delivery.objects.get()
    assert (line.channel, line.urgent, line.about_uid) == ("email", True, robot.uid)
    assert line.recipient.startswith("person:")
    assert Troubles().oldest_due_at(AT) is None


def test_fire_next_leaves_out_what_was_switched_off_on_purpose(robot: Endpoint) -> None:
    Endpoint.objects.update(disabled_reason="removed")

    assert Troubles().fire_next(AT) is False


def test_render_says_which_robot_why_and_where_it_is_mended(robot: Endpoint) -> None:
    Troubles().fire_next(AT)
    bundle_due(AT)
    reader = Reader("person:1", "a@example.org", name="王秘书", language="zh-hans")

    written = Troubles().render(list(Delivery.objects.all()), reader, AT)

    assert Message.objects.get().source == "endpoint_trouble"
    assert [item.url.endswith(f"/robots/{robot.uid}/") for item in written.items] == [True]
    assert "联盟群" in written.subject
    assert "good-key-0001" not in written.stored()


def test_still_wanted_no_longer_once_it_is_mended(robot: Endpoint) -> None:
    Troubles().fire_next(AT)
    line = Delivery.objects.get()
    reader = Reader("person:1", "a@example.org")

    assert Troubles().still_wanted(line, reader, AT) == ""
    Endpoint.objects.update(disabled_at=None)
    assert Troubles().still_wanted(line, reader, AT) == "mended"


def test_fire_next_after_it_broke_again_tells_again(robot: Endpoint) -> None:
    Troubles().fire_next(AT)
    Endpoint.objects.update(disabled_at=AT.replace(hour=20), owner_told_at=None)

    assert Troubles().fire_next(AT) is True
    assert Delivery.objects.count() == 2
