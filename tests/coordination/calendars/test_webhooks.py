import json
from datetime import timedelta

import pytest

from alliances.joining import end_membership
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token, revoke_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.webhooks import WebhookMessages, WebhookNews, news_kinds
from coordination.changes.models import Change
from coordination.deliveries.last_look import reader_at
from coordination.deliveries.models import Delivery, Message, Subscription
from events.models import Event
from events.scheduling import (
    Host,
    confirm_event,
    discard_event,
    draft_event,
    postpone_event,
    revise_event,
    schedule_event,
)
from tests.coordination.calendars.hearing import hear, hook, payloads, told
from tests.factories import (
    AFTERNOON,
    AT,
    MORNING,
    Cast,
    make_event,
    make_plan,
    make_work_area,
    stored,
)

pytestmark = pytest.mark.django_db


def look(message: Message) -> str:
    """Take the last look at a queued message."""
    delivery = Delivery.objects.select_related("endpoint").get(message=message)
    return WebhookMessages().still_wanted(delivery, reader_at(delivery.endpoint), AT)


def test_tell_of_a_change_gives_a_thin_payload(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    webhook = hook(cast.member_liaison)

    confirm_event(event, viewer=SYSTEM, at=AT + timedelta(minutes=1))
    hear()

    [message] = Message.objects.all()
    number = Change.objects.order_by("-number").values_list("number", flat=True)[0]
    assert payloads(webhook) == [
        {
            "type": "event.confirmed",
            "timestamp": "2028-01-10T02:01:00Z",
            "data": {
                "uid": str(event.uid),
                "version": stored(event).version,
                "number": number,
                "changed": ["sequence", "state"],
                "url": f"http://127.0.0.1:8000/api/v1/events/{event.uid}/",
            },
        }
    ]
    assert (message.channel, message.lane, message.state) == ("webhook", str(event.uid), "pending")
    assert message.endpoint_id == webhook.endpoint_id
    assert message.next_attempt_at == AT
    assert look(message) == ""


def test_tell_of_a_change_twice_queues_it_once(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    webhook = hook(cast.member_liaison)
    confirm_event(event, viewer=SYSTEM, at=AT)
    hear()

    WebhookNews().tell(list(Change.objects.order_by("-number")[:1]), AT)

    assert len(payloads(webhook)) == 1
    assert Delivery.objects.count() == 1


def test_tell_in_the_order_of_the_log(cast: Cast) -> None:
    webhook = hook(cast.secretary)

    event = make_event(cast.alliance, scheduled=True)
    confirm_event(event, viewer=SYSTEM, at=AT)
    postpone_event(event, reason="筹备不足", span=AFTERNOON, viewer=SYSTEM, at=AT)

    assert [kind for kind, _changed in told(webhook)] == [
        "event.drafted",
        "event.scheduled",
        "event.confirmed",
        "event.postponed",
    ]
    versions = [one["data"]["version"] for one in payloads(webhook)]
    assert versions == sorted(versions)


def test_tell_names_only_fields_that_the_owner_may_know(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    secretariat = hook(f"alliance:{cast.alliance.slug}")
    member = hook(cast.member_liaison)
    stranger = hook(cast.stranger)

    values = {"notes": "内部备注", "online_url": "https://example.org/room", "address": "路"}
    revise_event(event, viewer=SYSTEM, at=AT, **values)

    assert told(secretariat) == [("event.revised", ["address", "notes", "online_url", "sequence"])]
    assert told(member) == [("event.revised", ["address", "online_url", "sequence"])]
    assert told(stranger) == [("event.revised", ["address", "sequence"])]


def test_tell_nobody_of_what_they_never_saw(cast: Cast) -> None:
    hidden = make_event(cast.alliance, audience="secretariat", scheduled=True)
    members = make_event(cast.alliance, audience="members", scheduled=True)
    secretariat = hook(cast.secretary)
    member = hook(cast.member_liaison)
    others = [hook(one) for one in (cast.outside_liaison, cast.other_secretary, cast.stranger)]

    confirm_event(hidden, viewer=SYSTEM, at=AT)
    confirm_event(members, viewer=SYSTEM, at=AT)
    draft_event(cast.alliance, viewer=SYSTEM, at=AT, title_zh="草稿", audience="secretariat")
    mistake = draft_event(
        cast.alliance, viewer=SYSTEM, at=AT, title_zh="误建", audience="secretariat"
    )
    discard_event(mistake, viewer=SYSTEM, at=AT)

    kinds = [kind for kind, _changed in told(secretariat)]
    assert kinds == [
        "event.confirmed", "event.confirmed", "event.drafted", "event.drafted", "event.deleted",
    ]  # fmt: skip
    assert [one["data"]["uid"] for one in payloads(member)] == [str(members.uid)]
    assert [told(one) for one in others] == [[], [], []]


def test_tell_of_a_loss_of_sight_names_the_uid_alone(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    stranger, member = hook(cast.stranger), hook(cast.member_liaison)

    revise_event(event, audience="members", title_zh="内部会", viewer=SYSTEM, at=AT)
    confirm_event(event, viewer=SYSTEM, at=AT)
    hear()

    assert [one["type"] for one in payloads(member)] == ["event.revised", "event.confirmed"]
    [gone] = payloads(stranger)
    assert (gone["type"], gone["data"]) == ("event.left_view", {"uid": str(event.uid)})


def test_tell_of_an_event_that_comes_into_sight(cast: Cast) -> None:
    event = make_event(cast.alliance, audience="members", scheduled=True)
    stranger = hook(cast.stranger)

    revise_event(event, audience="public", viewer=SYSTEM, at=AT)

    [(kind, _changed)] = told(stranger)
    assert kind == "event.entered_view"


def test_tell_of_a_deletion_names_the_uid_alone(cast: Cast) -> None:
    event = draft_event(cast.alliance, title_zh="草稿", viewer=SYSTEM, at=AT)
    webhook = hook(cast.secretary)

    discard_event(event, viewer=SYSTEM, at=AT)
    hear()

    [gone] = payloads(webhook)
    assert (gone["type"], gone["data"]) == ("event.deleted", {"uid": str(event.uid)})
    assert look(Message.objects.get()) == ""


def test_tell_under_a_filter_of_what_enters_and_leaves_it(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="published")
    here, there = make_work_area(plan), make_work_area(plan, "人才交流")
    event = make_event(cast.alliance, scheduled=True, work_area=there)
    webhook = hook(cast.secretary, filters={"work_area": str(here.uid)})

    confirm_event(event, viewer=SYSTEM, at=AT)
    revise_event(event, work_area=here, viewer=SYSTEM, at=AT)
    revise_event(event, title_en="Moved", viewer=SYSTEM, at=AT)
    revise_event(event, work_area=there, viewer=SYSTEM, at=AT)
    revise_event(event, title_en="Moved again", viewer=SYSTEM, at=AT)

    assert [kind for kind, _changed in told(webhook)] == [
        "event.entered_view",
        "event.revised",
        "event.left_view",
    ]


def test_tell_of_what_is_mine(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    webhook = hook(cast.member_liaison, filters={"mine": "1"})

    confirm_event(event, viewer=SYSTEM, at=AT)
    revise_event(event, hosts=[Host(cast.member)], viewer=SYSTEM, at=AT)
    revise_event(event, hosts=[Host(cast.host)], viewer=SYSTEM, at=AT)

    assert [kind for kind, _changed in told(webhook)] == ["event.entered_view", "event.left_view"]


def test_tell_only_the_kinds_chosen(cast: Cast) -> None:
    event = make_event(cast.alliance)
    webhook = hook(cast.secretary, kinds=["event.confirmed"])

    schedule_event(event, MORNING, viewer=SYSTEM, at=AT)
    confirm_event(event, viewer=SYSTEM, at=AT)

    assert told(webhook) == [("event.confirmed", ["sequence", "state"])]


def test_tell_of_changed_rights_gives_the_sync_address(cast: Cast) -> None:
    make_event(cast.alliance, audience="members", scheduled=True)
    filters = {"alliance": "jjj"}
    member, outside = hook(cast.member_liaison, filters=filters), hook(cast.outside_liaison)

    membership = cast.member.memberships.get()
    end_membership(membership, on=AT.date(), reason="退出", viewer=SYSTEM, at=AT)
    hear()

    [news] = payloads(member)
    assert (news["type"], news["data"]) == (
        "access.changed",
        {"url": "http://127.0.0.1:8000/api/v1/sync/?alliance=jjj"},
    )
    assert payloads(outside) == []
    hear()
    assert len(payloads(member)) == 1


def test_tell_nobody_whose_account_is_closed(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    webhook = hook(cast.member_liaison)
    confirm_event(event, viewer=SYSTEM, at=AT)
    hear()

    User.objects.filter(pk=cast.member_liaison.user_id).update(is_active=False)
    revise_event(event, title_en="Other", viewer=SYSTEM, at=AT)
    hear()

    [message] = Message.objects.all()
    assert len(payloads(webhook)) == 1
    assert look(message) == "recipient_gone"


def test_last_look_at_what_the_owner_may_no_longer_see_drops_it(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    hook(cast.stranger)
    confirm_event(event, viewer=SYSTEM, at=AT)
    revise_event(event, audience="members", viewer=SYSTEM, at=AT)
    hear()

    confirmed, gone = Message.objects.order_by("pk")

    assert (look(confirmed), look(gone)) == ("no_longer_visible", "")


def test_webhook_of_a_token_sees_what_the_token_may_see_and_ends_with_it(cast: Cast) -> None:
    secretary = User.objects.get(pk=cast.secretary.user_id)
    limits = [f"alliance:{cast.other.pk}"]
    narrow = issue_token(secretary, name="窄", limits=limits, viewer=SYSTEM, at=AT).token
    wide = issue_token(secretary, name="宽", viewer=SYSTEM, at=AT).token
    event = make_event(cast.alliance, audience="secretariat", scheduled=True)
    webhooks = [hook(cast.secretary, name=token.name, token=token) for token in (narrow, wide)]

    confirm_event(event, viewer=SYSTEM, at=AT)

    assert [len(told(one)) for one in webhooks] == [0, 1]
    revoke_token(wide, viewer=cast.secretary, at=AT)
    assert look(Message.objects.get()) == "recipient_gone"
    revise_event(event, title_en="Other", viewer=SYSTEM, at=AT)
    assert [len(told(one)) for one in webhooks] == [0, 1]


def test_tell_with_a_filter_that_means_nothing_any_more_leaves_others_alone(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    broken, sound = hook(cast.secretary), hook(cast.secretary, name="另一个")
    Subscription.objects.filter(pk=broken.pk).update(filters={"no_such": "filter"})

    confirm_event(event, viewer=SYSTEM, at=AT)

    assert (told(broken), len(told(sound))) == ([], 1)


def test_tell_of_many_changes_in_one_go_costs_a_fixed_number_of_queries(
    cast: Cast, django_assert_max_num_queries
) -> None:
    hook(cast.secretary)
    for number in range(30):
        make_event(cast.alliance, title_zh=f"活动{number}")

    with django_assert_max_num_queries(25):
        hear()

    assert Message.objects.count() == 30


def test_render_of_content_that_was_forgotten_refuses(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    hook(cast.secretary)
    confirm_event(event, viewer=SYSTEM, at=AT)
    hear()
    delivery = Delivery.objects.select_related("endpoint").get()

    with pytest.raises(LookupError, match="no longer kept"):
        WebhookMessages().render([delivery], reader_at(delivery.endpoint), AT)


def test_kinds_of_news_are_those_of_events_and_four_more(cast: Cast) -> None:
    kinds = news_kinds()

    assert "event.discarded" not in kinds
    assert {"event.confirmed", "event.deleted", "event.left_view", "access.changed"} <= set(kinds)
    assert json.dumps(kinds) == json.dumps(sorted(kinds))
    assert Event.objects.count() == 0
