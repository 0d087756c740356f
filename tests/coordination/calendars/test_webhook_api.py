from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token, revoke_token
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.deliveries.models import Endpoint, Message, Subscription
from coordination.rest.models import IdempotencyKey
from events.scheduling import confirm_event
from tests.coordination.calendars.hearing import URL, hear, hook
from tests.factories import AT, Cast, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
WEBHOOKS = "/api/v1/webhooks/"


def program(viewer: Viewer, **options: Any) -> Client:
    """Return a client with a token of the viewer's."""
    user = User.objects.get(pk=viewer.user_id)
    token = issue_token(user, name="program", viewer=SYSTEM, at=AT, **options)
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


def post(client: Client, path: str = "", headers: Any = None, **body: Any) -> Any:
    return client.post(f"{WEBHOOKS}{path}", body, content_type="application/json", headers=headers)


def test_create_answers_the_secret_this_once(cast: Cast) -> None:
    client = program(cast.secretary)

    made = post(client, name="钩子", url=URL, filters={"alliance": "jjj", "q": None})

    webhook = Subscription.objects.get()
    shown = client.get(made["Location"])
    assert made.status_code == 201
    assert made.json() == {
        "uid": str(webhook.uid),
        "name": "钩子",
        "url": URL,
        "alliance": None,
        "filters": {"alliance": "jjj"},
        "kinds": [],
        "state": "active",
        "reason": "",
        "failures": 0,
        "failing_since": None,
        "paused_until": None,
        "previous_secret_until": None,
        "keeper_left_at": None,
        "created_at": made.json()["created_at"],
        "changed_at": made.json()["changed_at"],
        "version": 1,
        "secret": webhook.endpoint.secret,
    }
    assert shown.json() == {name: made.json()[name] for name in made.json() if name != "secret"}
    assert shown["ETag"].startswith('"1-')


def test_create_twice_under_one_key_keeps_no_secret_with_the_answer(cast: Cast) -> None:
    client = program(cast.secretary)
    headers = {"Idempotency-Key": "once"}

    first, second = (post(client, headers=headers, name="钩子", url=URL) for _n in range(2))

    assert first.json()["uid"] == second.json()["uid"]
    assert "secret" in first.json()
    assert "secret" not in second.json()
    kept = IdempotencyKey.objects.get()
    assert first.json()["secret"] not in str(kept.__dict__)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://example.org/"}, "/url", "https_only"),
        ({"url": "https://127.0.0.1/"}, "/url", "address_inside"),
        ({"url": "https://u:p@example.org/"}, "/url", "credentials_in_url"),
        ({"url": "https://example.org:22/"}, "/url", "port_not_allowed"),
        ({"url": "hooks"}, "/url", "not_a_web_address"),
        ({"name": " "}, "/name", "blank"),
        ({"kinds": ["event.exploded"]}, "/kinds", "unknown"),
        ({"alliance": "nowhere"}, "/alliance", "invalid"),
        ({"filters": {"no_such": "1"}}, "/filters/no_such", "unknown_parameter"),
        ({"filters": {"mine": "yes"}}, "/filters/mine", "invalid"),
        ({"filters": {"alliance": "nowhere"}}, "/filters/alliance", "unknown"),
    ],
)
def test_create_with_what_cannot_be_taken_names_it(
    cast: Cast, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = post(program(cast.secretary), **({"name": "钩子", "url": URL} | body))

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert Endpoint.objects.count() == 0


def test_create_for_an_alliance_is_for_its_secretariat_alone(cast: Cast) -> None:
    body = {"name": "办公室", "url": URL, "alliance": "jjj"}

    refused = post(program(cast.member_liaison), **body)
    made = post(program(cast.secretary), **body)

    assert refused.status_code == 403
    assert (made.status_code, made.json()["alliance"]) == (201, "jjj")
    assert Endpoint.objects.get().owner == "alliance:jjj"


def test_create_with_a_token_that_may_not_read_events_is_refused(cast: Cast) -> None:
    answer = post(program(cast.secretary, scopes=["webhooks:write"]), name="钩子", url=URL)

    assert (answer.status_code, Endpoint.objects.count()) == (403, 0)


def test_lists_and_objects_are_for_whoever_may_keep_them(cast: Cast) -> None:
    mine = hook(cast.secretary)
    office = hook("alliance:jjj", name="办公室")
    hook("alliance:dongbei")
    expected = {
        "secretary": {mine.uid, office.uid},
        "member_liaison": set(),
        "superuser": {one.uid for one in Subscription.objects.all()},
    }

    for part, uids in expected.items():
        client = program(getattr(cast, part))
        found = client.get(WEBHOOKS).json()["items"]
        assert {one["uid"] for one in found} == {str(uid) for uid in uids}
        for path in ("", "messages/"):
            status = client.get(f"{WEBHOOKS}{mine.uid}/{path}").status_code
            assert status == (200 if mine.uid in uids else 404)
    assert Client().get(WEBHOOKS).json()["items"] == []


def test_lists_for_a_token_with_limits_show_its_alliances_alone(cast: Cast) -> None:
    hook(cast.secretary)
    office = hook("alliance:jjj", name="办公室")
    client = program(cast.secretary, limits=[f"alliance:{cast.alliance.pk}"])

    found = client.get(WEBHOOKS).json()["items"]

    assert [one["uid"] for one in found] == [str(office.uid)]


def test_token_that_may_not_read_events_finds_no_webhook_to_lead_elsewhere(cast: Cast) -> None:
    whole = program(cast.secretary, scopes=["webhooks:write", "events:read"])
    made = post(whole, name="钩子", url=URL)
    path, tag = made["Location"], {"If-Match": whole.get(made["Location"])["ETag"]}
    client = program(cast.secretary, scopes=["webhooks:write"])

    changed = client.patch(
        path, {"url": "https://else.example/"}, content_type="application/json", headers=tag
    )
    asked = [client.get(path), client.get(f"{path}messages/"), post(client, f"{path[-37:]}rotate/")]
    assert [changed.status_code, *(answer.status_code for answer in asked)] == [404] * 4
    assert client.get(WEBHOOKS).json()["items"] == []
    assert Endpoint.objects.get().address == URL


def test_change_needs_the_tag_and_merges_filters(cast: Cast) -> None:
    webhook = hook(cast.secretary, filters={"alliance": "jjj"})
    client, path = program(cast.secretary), f"{WEBHOOKS}{webhook.uid}/"
    body = {"filters": {"alliance": None, "state": "confirmed"}, "kinds": ["event.moved"]}
    kind = "application/merge-patch+json"

    without = client.patch(path, body, content_type=kind)
    stale = client.patch(
        path, body, content_type=kind, headers={"If-Match": '"7-0123456789abcdef"'}
    )
    tag = client.get(path)["ETag"]
    done = client.patch(path, body, content_type=kind, headers={"If-Match": tag})

    assert [without.status_code, stale.status_code, done.status_code] == [428, 412, 200]
    assert stale.json()["current"]["version"] == 1
    assert done.json()["filters"] == {"state": "confirmed"}
    assert (done.json()["kinds"], done.json()["version"]) == (["event.moved"], 2)


def test_list_answers_304_until_a_condition_changes(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client = program(cast.secretary)
    first = client.get(WEBHOOKS)

    same = client.get(WEBHOOKS, headers={"If-None-Match": first["ETag"]})
    Endpoint.objects.filter(pk=webhook.endpoint_id).update(failures=3)
    other = client.get(WEBHOOKS, headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, other.status_code) == (304, 200)
    assert other.json()["items"][0]["failures"] == 3


def test_rotate_answers_a_new_secret_and_says_until_when_both_sign(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    before = webhook.endpoint.secret

    answer = post(program(cast.secretary), f"{webhook.uid}/rotate/").json()

    endpoint = Endpoint.objects.get()
    assert (answer["secret"], endpoint.previous_secret) == (endpoint.secret, before)
    assert answer["secret"] != before
    assert answer["previous_secret_until"] == "2028-04-01T15:30:00+00:00"


def test_pause_and_enable_change_the_state(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client = program(cast.secretary)

    paused = post(client, f"{webhook.uid}/pause/")
    again = post(client, f"{webhook.uid}/pause/")
    nothing = post(client, f"{webhook.uid}/enable/")
    on = post(client, f"{webhook.uid}/enable/", missed="skip")

    assert (paused.json()["state"], paused.json()["reason"]) == ("paused", "paused")
    assert (again.status_code, nothing.status_code) == (409, 400)
    assert (on.json()["state"], on.json()["reason"]) == ("active", "")


def test_ping_and_messages_show_what_became_of_it(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    client = program(cast.secretary)

    answer = post(client, f"{webhook.uid}/ping/")
    page = client.get(f"{WEBHOOKS}{webhook.uid}/messages/").json()

    message = Message.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"message": str(message.uid)})
    assert page["next"] is None
    [shown] = page["items"]
    assert shown == {
        "uid": str(message.uid),
        "type": "ping",
        "state": "pending",
        "reason": "",
        "payload": '{"type":"ping","timestamp":"2028-03-31T15:30:00Z",'
        f'"data":{{"webhook":"{webhook.uid}"}}}}',
        "created_at": "2028-03-31T15:30:00+00:00",
        "next_attempt_at": "2028-03-31T15:30:00+00:00",
        "sent_at": None,
        "attempts": [],
    }


def test_messages_come_in_pages_and_by_state(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    for number in range(3):
        confirm_event(
            make_event(cast.alliance, scheduled=True, title_zh=f"{number}"), viewer=SYSTEM, at=AT
        )
    hear()
    oldest = Message.objects.order_by("pk").values_list("pk", flat=True)[0]
    Message.objects.filter(pk=oldest).update(state="dead")
    client, path = program(cast.secretary), f"{WEBHOOKS}{webhook.uid}/messages/"

    first = client.get(f"{path}?limit=5").json()
    rest = client.get(first["next"]).json()
    dead = client.get(f"{path}?state=dead").json()["items"]

    uids = [one["uid"] for one in first["items"] + rest["items"]]
    assert uids == [
        str(uid) for uid in Message.objects.order_by("-pk").values_list("uid", flat=True)
    ]
    assert [one["state"] for one in dead] == ["dead"]
    assert client.get(f"{path}?state=lost").status_code == 400


def test_replay_of_one_of_all_and_of_what_is_not_there(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    make_event(cast.alliance, scheduled=True)
    hear()
    Message.objects.update(state="dead", reason="given_up")
    one = Message.objects.order_by("pk").values_list("uid", flat=True)[0]
    client, path = program(cast.secretary), f"{webhook.uid}/replay/"

    single = post(client, path, message=str(one))
    unknown = post(client, path, message=str(uuid4()))
    span = post(client, path, since="2029-01-01T00:00:00Z")
    wrong_way = post(client, path, since="2029-01-01T00:00:00Z", until="2028-01-01T00:00:00Z")
    open_time = post(client, path, until="2029-01-01T00:00:00")
    rest = post(client, path)

    assert (open_time.status_code, open_time.json()["errors"][0]["pointer"]) == (400, "/until")
    assert (single.status_code, single.json()) == (202, {"count": 1})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/message")
    assert (wrong_way.status_code, wrong_way.json()["errors"][0]["pointer"]) == (400, "/until")
    assert (span.json(), rest.json()) == ({"count": 0}, {"count": 1})


def test_delete_ends_it_and_keeps_the_ledger(cast: Cast) -> None:
    webhook = hook(cast.secretary)
    make_event(cast.alliance)
    hear()
    client, path = program(cast.secretary), f"{WEBHOOKS}{webhook.uid}/"

    gone = client.delete(path, headers={"If-Match": client.get(path)["ETag"]})

    assert (gone.status_code, client.get(path).status_code) == (204, 404)
    assert set(Message.objects.values_list("state", "reason")) == {
        ("superseded", "webhook_removed")
    }
    assert Endpoint.objects.get().secret == ""
    assert post(client, name="钩子", url=URL).status_code == 201


def test_take_over_ends_the_call_for_somebody_to_answer(cast: Cast) -> None:
    webhook = hook("alliance:jjj")
    Subscription.objects.update(keeper_left_at=AT)
    client, path = program(cast.secretary), f"{WEBHOOKS}{webhook.uid}/"

    before = client.get(path).json()["keeper_left_at"]
    listed = client.get(WEBHOOKS)["ETag"]
    taken = post(client, f"{webhook.uid}/take-over/")

    found = Subscription.objects.select_related("token__user").get()
    assert before == "2028-01-10T02:00:00+00:00"
    assert (taken.status_code, taken.json()["keeper_left_at"]) == (200, None)
    assert (found.kept_by, found.version) == (cast.secretary.actor, 2)
    assert found.token is not None
    assert found.token.user_id == cast.secretary.user_id
    assert client.get(WEBHOOKS)["ETag"] != listed
    refused = post(program(cast.member_liaison), f"{webhook.uid}/take-over/")
    assert refused.status_code == 404


def test_enable_of_one_that_nobody_answers_for_is_a_conflict(cast: Cast) -> None:
    user = User.objects.get(pk=cast.secretary.user_id)
    token = issue_token(user, name="旧", viewer=SYSTEM, at=AT).token
    webhook = hook(cast.secretary, token=token)
    revoke_token(token, viewer=SYSTEM, at=AT)
    client = program(cast.secretary)

    refused = post(client, f"{webhook.uid}/enable/", missed="skip")

    assert (refused.status_code, refused.json()["code"]) == (409, "nobody_answers")
