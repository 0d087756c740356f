"""The inbox, the wishes and the link that stops news, as people and mail programs use them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from coordination.accounts.models import User
from coordination.deliveries.models import InboxItem, Wishes
from coordination.deliveries.news import News
from coordination.deliveries.stopping import stop_link
from coordination.deliveries.wishing import own_key, wishes_of
from tests.factories import AT, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def client_of(viewer: Any) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def lay(viewer: Any, number: int = 1, **values: Any) -> InboxItem:
    chosen = {
        "recipient": own_key(viewer), "message_uid": f"00000000-0000-4000-8000-{number:012}",
        "news": "reminders", "subject": f"提醒 {number}", "text": "5月16日", "language": "zh-hans",
        "url": "/calendar/", "created_at": AT,
    }  # fmt: skip
    return InboxItem.objects.create(**chosen | values)


def test_inbox_lists_ones_own_messages_and_counts_the_unread_in_the_menu(cast: Cast) -> None:
    lay(cast.member_liaison, 1, read_at=AT)
    lay(cast.member_liaison, 2)
    lay(cast.host_liaison, 3)
    client = client_of(cast.member_liaison)

    page = client.get("/inbox/").content.decode()

    assert [f"提醒 {number}" in page for number in (1, 2, 3)] == [True, True, False]
    assert '<span class="count">1<' in client.get("/calendar/").content.decode()
    assert "提醒 1" not in client.get("/inbox/?show=unread").content.decode()
    assert "提醒 2" in client.get("/").content.decode()


def test_inbox_of_nobody_asks_to_sign_in(cast: Cast) -> None:
    answer = Client().get("/inbox/")

    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/inbox/")  # type: ignore[attr-defined]


def test_inbox_item_of_somebody_else_is_not_there(cast: Cast) -> None:
    item = lay(cast.host_liaison)
    client = client_of(cast.superuser)

    assert client.get(reverse("inbox_item", args=[item.uid])).status_code == 404
    assert client.post(reverse("inbox_mark", args=[item.uid])).status_code == 404
    item.refresh_from_db()
    assert item.read_at is None


def test_inbox_item_is_read_by_a_press_and_not_by_a_look(cast: Cast) -> None:
    item = lay(cast.member_liaison)
    client = client_of(cast.member_liaison)

    assert "5月16日" in client.get(reverse("inbox_item", args=[item.uid])).content.decode()
    item.refresh_from_db()
    assert item.read_at is None

    mark = reverse("inbox_mark", args=[item.uid])
    assert client.post(mark, {"then": "follow"})["Location"] == "/calendar/"
    item.refresh_from_db()
    assert item.read_at is not None
    assert client.post(mark, {"as": "unread"})["Location"] == "/inbox/"
    item.refresh_from_db()
    assert item.read_at is None


def test_inbox_all_read_leaves_others_alone(cast: Cast) -> None:
    own, other = lay(cast.member_liaison, 1), lay(cast.host_liaison, 2)

    client_of(cast.member_liaison).post("/inbox/read/")

    own.refresh_from_db()
    other.refresh_from_db()
    assert (own.read_at is not None, other.read_at) == (True, None)


FORM = {
    "reminders": ["inbox"], "invitations": ["email", "inbox"], "chasing": ["email"],
    "changes": [], "digest": "morning", "quiet_from": "22:00", "quiet_until": "07:00",
}  # fmt: skip


def test_wishes_are_saved_as_they_are_ticked(cast: Cast) -> None:
    client = client_of(cast.member_liaison)

    answer = client.post("/me/wishes/", FORM)

    assert (answer.status_code, answer["Location"]) == (302, "/me/wishes/")
    stored = wishes_of(own_key(cast.member_liaison))
    assert stored.channels == {
        "reminders": ["inbox"], "invitations": ["email", "inbox"], "chasing": ["email"],
        "changes": [],
    }  # fmt: skip
    assert (stored.digest, str(stored.quiet_from), str(stored.quiet_until)) == (
        "morning", "22:00:00", "07:00:00",
    )  # fmt: skip
    assert client.get("/me/wishes/").status_code == 200


def test_wishes_without_a_way_for_what_must_come_are_refused_beside_the_field(cast: Cast) -> None:
    answer = client_of(cast.member_liaison).post("/me/wishes/", FORM | {"invitations": []})

    assert answer.status_code == 422
    assert 'class="errorlist"' in answer.content.decode()
    assert not Wishes.objects.exists()


def test_wishes_of_an_account_without_a_person_say_so(cast: Cast) -> None:
    page = client_of(cast.superuser).get("/me/wishes/").content.decode()

    assert "<form" not in page.partition("<main")[2]


def test_stop_by_a_scanner_changes_nothing() -> None:
    path = stop_link("person:1", [News.REMINDERS]).removeprefix("http://127.0.0.1:8000")

    assert Client().get(path).status_code == 200
    assert Client().head(path).status_code == 200
    assert not Wishes.objects.exists()


def test_stop_by_one_click_of_a_mail_program_needs_no_cookie() -> None:
    path = stop_link("person:1", [News.REMINDERS]).removeprefix("http://127.0.0.1:8000")

    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    stored = wishes_of("person:1")
    assert [stored.takes(news, "email") for news in News] == [False, True, True, True]


def test_stop_can_be_taken_back_on_the_same_page() -> None:
    path = stop_link("person:1", [News.CHANGES]).removeprefix("http://127.0.0.1:8000")
    Client().post(path)

    Client().post(path, {"do": "resume"})

    assert wishes_of("person:1").takes(News.CHANGES, "email")


def test_stop_by_a_forged_link_says_what_to_do() -> None:
    answer = Client().post("/news/stop/forged/")

    assert answer.status_code == 404
    assert not Wishes.objects.exists()
