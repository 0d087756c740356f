from typing import Any

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.deliveries.models import Endpoint, Message, Subscription
from coordination.deliveries.subscribing import ping
from tests.coordination.calendars.hearing import URL, hook
from tests.factories import AT, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
PAGE = "/connect/webhooks/"


def signed_in(viewer: Viewer) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def make(client: Client, owner: str, **values: Any) -> Any:
    body = {"name": "钩子", "url": URL, "owner": owner, "what": "all"} | values
    return client.post(PAGE, body)


def test_page_without_a_login_leads_to_it(client: Client) -> None:
    answer = client.get(PAGE)

    assert (answer.status_code, "/accounts/login/" in answer["Location"]) == (302, True)


def test_make_on_the_page_shows_the_secret_this_once(cast: Cast) -> None:
    client = signed_in(cast.secretary)

    made = make(client, "alliance:jjj", what="mine", kinds=["event.moved"])

    webhook = Subscription.objects.select_related("endpoint").get()
    secret = webhook.endpoint.secret
    assert (made.status_code, secret in made.content.decode()) == (200, True)
    assert secret not in client.get(f"{PAGE}{webhook.uid}/").content.decode()
    assert (webhook.endpoint.owner, webhook.filters, webhook.kinds) == (
        "alliance:jjj", {"mine": "1"}, ["event.moved"],
    )  # fmt: skip
    assert webhook.endpoint.name in client.get(PAGE).content.decode()


def test_make_with_an_address_inside_says_so_beside_the_field(cast: Cast) -> None:
    client = signed_in(cast.secretary)
    owner = f"user:{User.objects.get(pk=cast.secretary.user_id).uid}"

    answer = make(client, owner, url="https://10.0.0.1/")

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["url"]
    assert Endpoint.objects.count() == 0


def test_make_for_an_alliance_of_others_is_refused(cast: Cast) -> None:
    answer = make(signed_in(cast.member_liaison), "alliance:jjj")

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["owner"])


def test_page_of_somebody_elses_webhook_is_not_there(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client = signed_in(cast.member_liaison)

    statuses = [client.get(f"{PAGE}{webhook.uid}/").status_code]
    statuses += [
        client.post(f"{PAGE}{webhook.uid}/{verb}/").status_code
        for verb in ("ping", "rotate", "pause", "enable", "replay", "remove")
    ]

    assert set(statuses) == {404}


def test_save_that_came_second_shows_both(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client, path = signed_in(cast.secretary), f"{PAGE}{webhook.uid}/"
    body = {"name": "甲", "url": URL, "what": "all", "version": 1}

    first = client.post(path, body)
    second = client.post(path, body | {"name": "乙"})

    assert (first.status_code, second.status_code) == (302, 422)
    assert [one.typed for one in second.context["form"].differences] == ["乙"]
    assert Endpoint.objects.get().name == "甲"


def test_buttons_do_what_they_say(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client, path = signed_in(cast.secretary), f"{PAGE}{webhook.uid}/"
    secret = webhook.endpoint.secret

    for verb, body in (("ping", {}), ("pause", {}), ("enable", {"missed": "skip"})):
        assert client.post(f"{path}{verb}/", body)["Location"] == path
    rotated = client.post(f"{path}rotate/")

    endpoint = Endpoint.objects.get()
    assert [message.state for message in Message.objects.all()] == ["superseded"]
    assert endpoint.previous_secret == secret
    assert endpoint.secret in rotated.content.decode()
    assert client.post(f"{path}remove/")["Location"] == PAGE
    assert Subscription.objects.count() == 0


def test_page_shows_tries_and_sends_one_again(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    message = ping(webhook, viewer=SYSTEM, at=AT)
    Message.objects.update(state="dead", reason="http_302")
    message.tries.create(
        number=1, outcome="dead", code="http_302", detail="302 https://x.example", begun_at=AT,
        ended_at=AT,
    )  # fmt: skip
    client, path = signed_in(cast.secretary), f"{PAGE}{webhook.uid}/"

    shown = client.get(path).content.decode()
    client.post(f"{path}replay/", {"message": str(message.uid)})

    assert "302 https://x.example" in shown
    assert Message.objects.get().state == "pending"


def test_page_of_one_that_was_switched_off_says_why(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    Endpoint.objects.update(disabled_at=AT, disabled_reason="http_410")

    shown = signed_in(cast.secretary).get(f"{PAGE}{webhook.uid}/")

    assert (shown.context["state"], "(410)" in shown.context["reason"]) == ("disabled", True)


def test_page_says_who_made_it_and_that_they_left_until_somebody_takes_it_over(
    cast: Cast,
) -> None:
    webhook = hook("alliance:jjj")
    maker = User.objects.get(pk=cast.member_liaison.user_id)
    Subscription.objects.update(created_by=f"user:{maker.uid}", keeper_left_at=AT)
    client, path = signed_in(cast.secretary), f"{PAGE}{webhook.uid}/"

    shown = client.get(path)
    taken = client.post(f"{path}take_over/", follow=True)

    assert (shown.context["maker"], shown.context["wants_a_keeper"]) == ("liaison", True)
    assert f"{path}take_over/" in shown.content.decode()
    assert (taken.context["maker"], taken.context["keeper"]) == ("liaison", "secretary")
    assert f"{path}take_over/" not in taken.content.decode()
    assert Subscription.objects.get().kept_by == cast.secretary.actor
