"""Readers' wishes: their own alone, with what must come left in; and the link that stops news."""

from datetime import time
from typing import Any

import pytest
from django.urls import reverse

from coordination.changes.refusals import InvalidInput, NotAllowed
from coordination.deliveries.models import Wishes
from coordination.deliveries.news import News
from coordination.deliveries.stopping import LinkNotValid, read_link, stop_link
from coordination.deliveries.wishing import (
    change_wishes,
    own_key,
    resume_news,
    stop_news,
    wishes_of,
)
from tests.factories import AT, Cast

pytestmark = pytest.mark.django_db

DEFAULTS: dict[str, Any] = {
    "channels": {}, "digest": "at_once", "quiet_from": None, "quiet_until": None,
}  # fmt: skip


def change(cast: Cast, **values: Any) -> Wishes:
    return change_wishes(viewer=cast.member_liaison, at=AT, **DEFAULTS | values)


def test_own_key_is_that_of_the_person_and_nobodys_for_an_account_alone(cast: Cast) -> None:
    assert own_key(cast.member_liaison).startswith("person:")
    assert own_key(cast.superuser) == own_key(cast.public) == ""
    with pytest.raises(NotAllowed):
        change_wishes(viewer=cast.superuser, at=AT, **DEFAULTS)


def test_change_wishes_stores_what_was_chosen_and_keeps_the_rest(cast: Cast) -> None:
    change(cast, channels={"reminders": ["inbox"]})

    change(
        cast, channels={"changes": []}, digest="morning",
        quiet_from=time(22), quiet_until=time(7),
    )  # fmt: skip

    stored = wishes_of(own_key(cast.member_liaison))
    assert stored.channels == {"reminders": ["inbox"], "changes": []}
    assert (stored.digest, stored.quiet_from, stored.quiet_until) == ("morning", time(22), time(7))
    assert [stored.takes(news, "email") for news in News] == [False, True, True, False]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"channels": {"invitations": []}}, "invitations"),
        ({"channels": {"chasing": []}}, "chasing"),
        ({"channels": {"weather": ["email"]}}, "channels"),
        ({"channels": {"reminders": ["pigeon"]}}, "reminders"),
        ({"digest": "yearly"}, "digest"),
        ({"quiet_from": time(22)}, "quiet_until"),
        ({"quiet_until": time(7)}, "quiet_from"),
        ({"quiet_from": time(7), "quiet_until": time(7)}, "quiet_until"),
    ],
)
def test_change_wishes_to_what_cannot_be_is_refused_and_changes_nothing(
    cast: Cast, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        change(cast, **values)

    assert [error.field for error in refusal.value.errors] == [field]
    assert not Wishes.objects.exists()


def test_stop_news_stops_mail_of_that_kind_alone_and_can_be_taken_back() -> None:
    stop_news("person:1", [News.REMINDERS, News.INVITATIONS], at=AT)
    stop_news("person:1", [News.REMINDERS], at=AT)

    stored = wishes_of("person:1")
    assert [stored.takes(news, "email") for news in News] == [False, True, True, True]
    assert stored.takes(News.REMINDERS, "inbox")

    resume_news("person:1", [News.REMINDERS], at=AT)
    assert wishes_of("person:1").takes(News.REMINDERS, "email")


def test_stop_link_says_for_whom_and_what_and_nothing_else_is_taken() -> None:
    link = stop_link("person:1", [News.REMINDERS, News.CHANGES])
    token = link.rstrip("/").rpartition("/")[2]

    assert link.endswith(reverse("stop_news", args=[token]))
    assert read_link(token) == ("person:1", [News.REMINDERS, News.CHANGES])
    for forged in (token[:-2], token.replace(":", "x", 1), "x", "x:y:z"):
        with pytest.raises(LinkNotValid):
            read_link(forged)


def test_stop_link_for_what_must_come_stops_nothing() -> None:
    token = stop_link("person:1", [News.INVITATIONS]).rstrip("/").rpartition("/")[2]

    assert read_link(token) == ("person:1", [])
