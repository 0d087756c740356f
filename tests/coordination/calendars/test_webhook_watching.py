"""What no line of the log tells is noticed all the same: accounts, tokens, who answers for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alliances.models import Seat
from alliances.seating import end_seat
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token, revoke_token
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars.webhook_notices import WebhookNotices
from coordination.calendars.webhook_owners import enable_webhook, take_over
from coordination.calendars.webhook_watching import NOBODY, Watch
from coordination.calendars.webhooks import WebhookMessages, WebhookNews
from coordination.changes.models import Change
from coordination.changes.refusals import NotAllowed, TransitionNotAllowed
from coordination.deliveries.last_look import reader_at
from coordination.deliveries.models import Delivery, Endpoint, Message, Subscription
from coordination.deliveries.subscribers import read_on
from events.scheduling import confirm_event
from tests.coordination.calendars.hearing import hear, hook, owner_of, payloads
from tests.factories import AT, Cast, make_event, make_person, secretariat_of, stored, viewer_of

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=5)


def account(viewer: Viewer) -> User:
    return User.objects.get(pk=viewer.user_id)


def set_rights(viewer: Viewer, **columns: bool) -> None:
    User.objects.filter(pk=viewer.user_id).update(**columns)


def condition(webhook: Subscription) -> tuple[str, str]:
    found = stored(webhook)
    return found.endpoint.disabled_reason, found.standing


def test_look_at_an_account_that_lost_its_rights_says_so_at_once(cast: Cast) -> None:
    hidden = make_event(cast.other, audience="secretariat", scheduled=True)
    webhook, watch = hook(cast.superuser), Watch()
    watch.look(AT)
    confirm_event(hidden, viewer=SYSTEM, at=AT)
    hear()
    numbers = Change.objects.count()

    set_rights(cast.superuser, is_superuser=False)
    watch.look(LATER)
    watch.look(LATER + timedelta(minutes=1))

    assert Change.objects.count() == numbers
    assert [one["type"] for one in payloads(webhook)] == ["event.confirmed", "access.changed"]
    assert payloads(webhook)[1]["data"] == {"url": "http://127.0.0.1:8000/api/v1/sync/"}
    confirmed = Delivery.objects.select_related("endpoint").order_by("pk")[0]
    reader = reader_at(confirmed.endpoint)
    assert WebhookMessages().still_wanted(confirmed, reader, LATER) == "no_longer_visible"


def test_look_at_rights_that_came_back_says_so_again(cast: Cast) -> None:
    webhook, watch = hook(cast.superuser), Watch()
    watch.look(AT)

    for minute, value in enumerate((False, True, False)):
        set_rights(cast.superuser, is_superuser=value)
        watch.look(LATER + timedelta(minutes=minute))

    assert [one["type"] for one in payloads(webhook)] == ["access.changed"] * 3


def test_look_at_an_account_that_was_closed_says_so_when_it_is_open_again(cast: Cast) -> None:
    webhook, watch = hook(cast.secretary), Watch()
    watch.look(AT)

    set_rights(cast.secretary, is_active=False)
    watch.look(LATER)
    closed = (payloads(webhook), condition(webhook))
    set_rights(cast.secretary, is_active=True)
    watch.look(LATER + timedelta(minutes=1))

    assert closed == ([], ("", NOBODY))
    assert [one["type"] for one in payloads(webhook)] == ["access.changed"]


def test_what_happened_while_an_account_was_closed_is_not_sent_when_it_is_open_again(
    cast: Cast,
) -> None:
    missed, later = (make_event(cast.alliance, scheduled=True) for _number in range(2))
    webhook, watch = hook(cast.secretary), Watch()
    watch.look(AT)

    set_rights(cast.secretary, is_active=False)
    watch.look(LATER)
    confirm_event(missed, viewer=SYSTEM, at=AT)
    hear()
    set_rights(cast.secretary, is_active=True)
    watch.look(LATER + timedelta(minutes=1))
    hear()
    confirm_event(later, viewer=SYSTEM, at=AT)
    hear()

    told = [(one["type"], one["data"].get("uid")) for one in payloads(webhook)]
    assert told == [("access.changed", None), ("event.confirmed", str(later.uid))]


def test_look_by_two_loops_says_it_once(cast: Cast) -> None:
    webhook, first, second = hook(cast.superuser), Watch(), Watch()
    for watch in (first, second):
        watch.look(AT)

    set_rights(cast.superuser, is_superuser=False)
    first.look(LATER)
    second.look(LATER + timedelta(seconds=1))

    assert [one["type"] for one in payloads(webhook)] == ["access.changed"]


def test_look_at_what_stands_still_costs_two_queries(cast: Cast, django_assert_num_queries) -> None:
    watch = Watch()
    with django_assert_num_queries(1):
        watch.look(AT)
    for number in range(30):
        hook("alliance:jjj" if number % 2 else cast.secretary, name=str(number))
    watch.look(AT)

    with django_assert_num_queries(2):
        watch.look(LATER)


def test_look_is_taken_with_every_round_of_the_loop(cast: Cast) -> None:
    webhook, source = hook(cast.superuser), WebhookMessages()
    source.fire_next(AT)

    set_rights(cast.superuser, is_superuser=False)
    found = source.fire_next(LATER)

    assert found is False
    assert [one["type"] for one in payloads(webhook)] == ["access.changed"]


def test_webhook_whose_token_ended_is_switched_off_and_its_owner_told(cast: Cast) -> None:
    token = issue_token(account(cast.secretary), name="程序", viewer=SYSTEM, at=AT).token
    webhook, watch = hook(cast.secretary, token=token), Watch()
    watch.look(AT)

    revoke_token(token, viewer=cast.secretary, at=LATER)
    watch.look(LATER)

    assert condition(webhook) == ("token_ended", NOBODY)
    assert WebhookNotices().fire_next(LATER)
    line = Delivery.objects.get(source="webhook_notice")
    assert line.recipient == owner_of(cast.secretary)
    with pytest.raises(TransitionNotAllowed) as refused:
        enable_webhook(stored(webhook), missed="skip", viewer=cast.secretary, at=LATER)
    assert refused.value.code == "nobody_answers"
    assert condition(webhook) == ("token_ended", NOBODY)


def test_webhook_of_an_alliance_ends_with_the_rights_of_whose_token_made_it(cast: Cast) -> None:
    token = issue_token(account(cast.secretary), name="程序", viewer=SYSTEM, at=AT).token
    webhook = hook("alliance:jjj", token=token)
    event = make_event(cast.alliance, audience="secretariat", scheduled=True)
    hear()
    assert len(payloads(webhook)) == 2

    end_seat(seat_of(cast.secretary), on=AT.date(), viewer=SYSTEM, at=LATER)
    confirm_event(event, viewer=SYSTEM, at=LATER)
    hear(LATER)

    assert len(payloads(webhook)) == 2
    assert condition(webhook) == ("token_ended", NOBODY)


def seat_of(viewer: Viewer) -> Seat:
    return Seat.objects.get(person__user=viewer.user_id)


def made_by(webhook: Subscription, viewer: Viewer) -> Subscription:
    actor = f"user:{account(viewer).uid}"
    Subscription.objects.filter(pk=webhook.pk).update(created_by=actor, kept_by=actor)
    return stored(webhook)  # type: ignore[no-any-return]


def colleague(cast: Cast) -> Viewer:
    """Seat somebody else in the secretariat, who stays."""
    person = make_person("colleague", role="staff", body=secretariat_of(cast.alliance))
    return viewer_of(person)


def test_webhook_of_an_alliance_goes_on_when_its_maker_left_and_staff_are_told(
    cast: Cast,
) -> None:
    staff = colleague(cast)
    webhook = made_by(hook("alliance:jjj"), cast.secretary)
    event = make_event(cast.alliance, audience="secretariat", scheduled=True)
    hear()
    assert stored(webhook).keeper_left_at is None

    end_seat(seat_of(cast.secretary), on=AT.date(), viewer=SYSTEM, at=LATER)
    confirm_event(event, viewer=SYSTEM, at=LATER)
    hear(LATER)

    assert stored(webhook).keeper_left_at == LATER
    assert [one["type"] for one in payloads(webhook)][-1] == "event.confirmed"
    told = Delivery.objects.filter(source="webhook_keeper_notice")
    assert list(told.values_list("recipient", "channel")) == [
        (f"person:{seat_of(staff).person.uid}", "email")
    ]
    hear(LATER + timedelta(minutes=1))
    Watch().look(LATER + timedelta(minutes=1))
    assert told.count() == 1


def test_webhook_of_an_alliance_whose_makers_account_was_closed_is_noticed(cast: Cast) -> None:
    colleague(cast)
    webhook, watch = made_by(hook("alliance:jjj"), cast.secretary), Watch()
    watch.look(AT)

    set_rights(cast.secretary, is_active=False)
    watch.look(LATER)

    assert stored(webhook).keeper_left_at == LATER
    assert Delivery.objects.filter(source="webhook_keeper_notice").count() == 2
    set_rights(cast.secretary, is_active=True)
    watch.look(LATER + timedelta(minutes=1))
    assert stored(webhook).keeper_left_at is None


def test_take_over_lets_it_go_on_without_the_token_of_who_left(cast: Cast) -> None:
    token = issue_token(account(cast.secretary), name="程序", viewer=SYSTEM, at=AT).token
    webhook = made_by(hook("alliance:jjj", token=token), cast.secretary)
    staff = colleague(cast)
    revoke_token(token, viewer=cast.secretary, at=AT)
    Watch().look(LATER)
    assert condition(webhook) == ("token_ended", NOBODY)

    taken = take_over(stored(webhook), viewer=staff, at=LATER)
    enable_webhook(taken, missed="skip", viewer=staff, at=LATER)
    Watch().look(LATER)

    found = stored(webhook)
    assert (found.kept_by, found.token, found.keeper_left_at, found.version) == (
        staff.actor, None, None, 3,
    )  # fmt: skip
    assert found.endpoint.disabled_at is None
    assert [one["type"] for one in payloads(webhook)] == ["access.changed"]
    make_event(cast.alliance, audience="secretariat")
    hear(LATER)
    assert payloads(webhook)[-1]["type"] == "event.drafted"


def test_take_over_by_somebody_else_is_refused(cast: Cast) -> None:
    webhook = made_by(hook("alliance:jjj"), cast.secretary)

    with pytest.raises(NotAllowed):
        take_over(webhook, viewer=cast.member_liaison, at=LATER)

    assert stored(webhook).kept_by == cast.secretary.actor
    assert (Endpoint.objects.count(), Message.objects.count()) == (1, 0)
    assert read_on(WebhookNews(), at=LATER) == 0
