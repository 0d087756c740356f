from datetime import timedelta

import pytest

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.webhook_keepers import KeeperNotices, name_in_words, tell_staff
from coordination.calendars.webhook_owners import take_over
from coordination.deliveries.models import Delivery, Subscription
from coordination.deliveries.recipients import readers_of
from coordination.deliveries.subscribing import unsubscribe
from tests.coordination.calendars.hearing import hook
from tests.factories import AT, Cast, stored

pytestmark = pytest.mark.django_db


def left(cast: Cast) -> Subscription:
    """Return a secretariat's webhook that a liaison officer answers for; its staff are told."""
    webhook = hook("alliance:jjj")
    maker = User.objects.get(pk=cast.member_liaison.user_id)
    Subscription.objects.update(created_by=f"user:{maker.uid}", keeper_left_at=AT)
    tell_staff(stored(webhook), at=AT)
    return stored(webhook)  # type: ignore[no-any-return]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_notice_says_which_one_who_left_and_what_to_do(cast: Cast, language: str) -> None:
    User.objects.filter(pk=cast.secretary.user_id).update(language=language)
    webhook = left(cast)
    line = Delivery.objects.get()
    reader = readers_of([line.recipient], "email")[line.recipient]
    notices = KeeperNotices()

    rendered = notices.render([line], reader, AT)

    assert (rendered.language, notices.still_wanted(line, reader, AT)) == (language, "")
    assert webhook.endpoint.name in rendered.subject
    for part in (
        "liaison",
        webhook.endpoint.address,
        f"http://127.0.0.1:8000/connect/webhooks/{webhook.uid}/",
    ):
        assert part in rendered.text


def test_notice_of_one_that_was_taken_over_or_ended_is_dropped(cast: Cast) -> None:
    webhook = left(cast)
    line, notices = Delivery.objects.get(), KeeperNotices()
    reader = readers_of([line.recipient], "email")[line.recipient]

    take_over(webhook, viewer=cast.secretary, at=AT + timedelta(minutes=1))
    assert notices.still_wanted(line, reader, AT) == "webhook_taken_over"

    unsubscribe(webhook, viewer=SYSTEM, at=AT)
    assert notices.still_wanted(line, reader, AT) == "webhook_removed"
    with pytest.raises(LookupError, match="not there"):
        notices.render([line], reader, AT)


def test_nothing_falls_due_by_itself(cast: Cast) -> None:
    left(cast)

    assert KeeperNotices().fire_next(AT) is False
    assert KeeperNotices().oldest_due_at(AT) is None


def test_name_of_nobody_is_a_word(cast: Cast) -> None:
    names = [name_in_words(actor, "en") for actor in ("system", "public")]

    assert names == ["the system", "somebody"]
