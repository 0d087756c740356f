"""Where people are reached: mail for everybody, an inbox for whoever can sign in."""

import pytest

from alliances.addressing import PeopleByUid, open_inboxes, own_people
from alliances.models import Person
from coordination.accounts.models import User
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Endpoint
from tests.coordination.deliveries.stage import cause
from tests.factories import AT, Cast

pytestmark = pytest.mark.django_db


def key_of(username: str) -> str:
    return f"person:{Person.objects.get(user__username=username).uid}"


def inboxes() -> set[str]:
    return set(
        Endpoint.objects.filter(channel="inbox", address="inbox").values_list("owner", flat=True)
    )


def test_open_inboxes_gives_one_to_everybody_who_can_sign_in(cast: Cast) -> None:
    User.objects.filter(username="host").update(is_active=False)
    people = Person.objects.filter(user__is_active=True)

    assert open_inboxes(at=AT) == people.count()
    assert inboxes() == {f"person:{uid}" for uid in people.values_list("uid", flat=True)}
    assert open_inboxes(at=AT) == 0


def test_open_inboxes_opens_one_that_something_was_meant_for_before(cast: Cast) -> None:
    enqueue([key_of("liaison")], channel="inbox", cause=cause())
    assert inboxes() == set()

    open_inboxes(at=AT)

    assert key_of("liaison") in inboxes()
    assert Endpoint.objects.filter(channel="inbox", owner=key_of("liaison")).count() == 1


def test_readers_of_inboxes_are_those_who_can_sign_in(cast: Cast) -> None:
    keys = [key_of("liaison"), key_of("host")]
    User.objects.filter(username="host").update(is_active=False)

    by_inbox = PeopleByUid().readers(keys, "inbox")
    by_mail = PeopleByUid().readers(keys, "email")

    assert {key: reader.address for key, reader in by_inbox.items()} == {keys[0]: "inbox"}
    assert by_mail[keys[0]].address == "liaison@example.org"
    assert by_mail[keys[1]].address == ""


def test_own_people_is_the_viewer_and_nobody_for_an_account_alone(cast: Cast) -> None:
    assert [row.recipient for row in own_people(cast.member_liaison)] == [key_of("liaison")]
    assert list(own_people(cast.superuser)) == []
