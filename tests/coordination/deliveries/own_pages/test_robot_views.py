"""Pages of robots: set up by a secretariat, secrets never shown again, mended with one button."""

from typing import Any

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.deliveries.models import Endpoint
from coordination.deliveries.robots import robots_for
from events.group_owners import owner_key
from tests.factories import AT, Cast, make_event, make_plan, make_work_area

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

KEY = "693a91f6-7e3b-4bc4-97a0-0ec2d1fa5aaa"


def client_of(viewer: Any) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def form(cast: Cast, **values: Any) -> dict[str, Any]:
    chosen = {
        "owner": owner_key("alliance", cast.alliance.uid), "channel": "wecom", "name": "联盟群",
        "url": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        "mentions": "zhangsan lisi", "language": "zh-hans",
    }  # fmt: skip
    return chosen | values


def made(cast: Cast) -> Endpoint:
    client_of(cast.secretary).post("/robots/", form(cast))
    return Endpoint.objects.get(channel="wecom")


def test_robots_set_one_up_and_show_it_without_its_secret(cast: Cast) -> None:
    client = client_of(cast.secretary)

    answer = client.post("/robots/", form(cast))

    robot = Endpoint.objects.get(channel="wecom")
    assert (answer.status_code, answer["Location"]) == (302, f"/robots/{robot.uid}/")
    assert (robot.secret, robot.mentions) == (KEY, "zhangsan lisi")
    for path in ("/robots/", f"/robots/{robot.uid}/"):
        page = client.get(path).content.decode()
        assert "联盟群" in page
        assert KEY not in page


def test_robots_with_a_wrong_address_say_so_beside_it_and_do_not_echo_it(cast: Cast) -> None:
    answer = client_of(cast.secretary).post(
        "/robots/", form(cast, url=f"https://example.org/?key={KEY}")
    )

    assert answer.status_code == 422
    assert "qyapi.weixin.qq.com" in answer.content.decode()
    assert KEY not in answer.content.decode()


def test_robots_stand_on_what_the_secretariat_keeps_and_on_an_event_by_its_page(
    cast: Cast,
) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    event = make_event(cast.alliance)
    key = owner_key("event", event.uid)

    page = client_of(cast.secretary).get(f"/robots/?for={key}").content.decode()

    for kind, row in (("alliance", cast.alliance), ("plan", plan), ("work_area", area)):
        assert f'value="{owner_key(kind, row.uid)}"' in page
    assert f'value="{key}"' in page
    assert owner_key("alliance", cast.other.uid) not in page


def test_robots_of_others_are_not_there(cast: Cast) -> None:
    robot = made(cast)

    for viewer, status in ((cast.other_secretary, 200), (cast.member_liaison, 403)):
        client = client_of(viewer)
        assert client.get("/robots/").status_code == status
        assert client.get(f"/robots/{robot.uid}/").status_code == 404
        for verb in ("test", "on", "remove"):
            assert client.post(f"/robots/{robot.uid}/{verb}/").status_code == 404
        refused = client.post("/robots/", form(cast, name="x")).status_code
        assert refused in (403, 422)
    assert Client().get("/robots/").status_code == 302
    assert robots_for(cast.secretary) == [robot]


def test_robot_that_was_switched_off_says_why_and_is_switched_on_again(cast: Cast) -> None:
    robot = made(cast)
    Endpoint.objects.filter(pk=robot.pk).update(disabled_at=AT, disabled_reason="wecom_93000")
    client = client_of(cast.secretary)

    assert 'role="alert"' in client.get(f"/robots/{robot.uid}/").content.decode()
    client.post(f"/robots/{robot.uid}/on/")

    robot.refresh_from_db()
    assert robot.disabled_at is None


def test_robot_is_changed_and_removed(cast: Cast) -> None:
    robot = made(cast)
    client = client_of(cast.secretary)

    client.post(f"/robots/{robot.uid}/", form(cast, name="新群", url="", mentions=""))
    robot.refresh_from_db()
    assert (robot.name, robot.secret, robot.mentions) == ("新群", KEY, "")

    client.post(f"/robots/{robot.uid}/remove/")
    assert robots_for(cast.superuser) == []
