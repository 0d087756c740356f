from datetime import timedelta

import pytest
from django.test import Client

from alliances.models import Person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Channel, Endpoint, Message
from events.models import ReminderRule
from events.reminding import add_reminder_rule
from events.telling import Reminders
from tests.factories import AT, Cast, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def dead_message(cast: Cast) -> Message:
    person = Person.objects.get(user=cast.member_liaison.user_id)
    event = make_event(cast.alliance)
    cause = Cause(
        "notice", "1", due_at=AT, send_after=AT, about_type="events.event", about_uid=event.uid
    )
    enqueue([f"person:{person.uid}"], channel="email", cause=cause)
    bundle_due(AT)
    Message.objects.update(state="dead", reason="smtp_550", error="550 no such user", attempts=1)
    return Message.objects.get()


def test_ledger_answers_lines_to_secretariat_and_reader_alone(cast: Cast):
    message = dead_message(cast)

    for viewer, expected in (
        (cast.secretary, [str(message.uid)]),
        (cast.member_liaison, [str(message.uid)]),
        (cast.other_secretary, []),
        (cast.stranger, []),
    ):
        items = as_viewer(viewer).get("/api/v1/ledger/").json()["items"]
        assert [item["message"] for item in items] == expected
    assert Client().get("/api/v1/ledger/").status_code == 401


def test_ledger_by_state_and_instant_answers_those_alone(cast: Cast):
    dead_message(cast)
    client = as_viewer(cast.secretary)
    later = (AT + timedelta(days=1)).isoformat().replace("+", "%2B")

    assert len(client.get("/api/v1/ledger/?state=dead").json()["items"]) == 1
    assert client.get("/api/v1/ledger/?state=sent").json()["items"] == []
    assert client.get(f"/api/v1/ledger/?since={later}").json()["items"] == []
    assert client.get("/api/v1/ledger/?since=2099-01-01T00:00:00+08:00").json()["items"] == []


@pytest.mark.parametrize("query", ["state=lost", "event=x", "since=yesterday", "nothing=1"])
def test_ledger_with_a_wrong_parameter_names_it(cast: Cast, query: str):
    response = as_viewer(cast.secretary).get(f"/api/v1/ledger/?{query}")

    assert response.status_code == 400
    assert query.partition("=")[0] in response.content.decode()


def test_span_that_ends_before_it_begins_is_refused_with_both_ends(cast: Cast):
    client = as_viewer(cast.secretary)
    span = {"since": "2028-05-02T00:00:00Z", "until": "2028-05-01T00:00:00Z"}
    listed = client.get("/api/v1/ledger/", span, headers={"Accept-Language": "en"})
    acted = client.post("/api/v1/ledger/replay/", span, content_type="application/json")

    assert listed.status_code == acted.status_code == 400
    assert [error["parameter"] for error in listed.json()["errors"]] == ["since", "until"]
    assert listed.json()["detail"] == (
        "since, until: “since” is later than “until”. Exchange them, or change one of them."
    )
    assert [error["pointer"] for error in acted.json()["errors"]] == ["/until"]


def test_message_answers_lines_and_tries(cast: Cast):
    message = dead_message(cast)

    found = as_viewer(cast.secretary).get(f"/api/v1/ledger/messages/{message.uid}/").json()

    assert (found["state"], found["reason"], found["tries"]) == ("dead", "smtp_550", [])
    assert [line["answer"] for line in found["lines"]] == ["550 no such user"]


def test_replay_of_one_and_of_a_span_counts_what_goes_out_again(cast: Cast):
    message = dead_message(cast)
    client = as_viewer(cast.secretary)

    one = client.post(f"/api/v1/ledger/messages/{message.uid}/replay/")
    assert (one.status_code, one.json()) == (200, {"messages": 1})
    Message.objects.update(state="dead")
    span = client.post(
        "/api/v1/ledger/replay/", {"since": AT.isoformat()}, content_type="application/json"
    )
    assert (span.status_code, span.json()) == (200, {"messages": 1})
    assert Message.objects.get().state == "pending"


def test_replay_by_somebody_else_is_not_found(cast: Cast):
    message = dead_message(cast)

    response = as_viewer(cast.member_liaison).post(f"/api/v1/ledger/messages/{message.uid}/replay/")

    assert response.status_code == 404
    assert Message.objects.get().state == "dead"


def test_endpoints_that_fail_say_why_and_are_switched_off_and_on(cast: Cast):
    endpoint = dead_message(cast).endpoint
    path, secretary = f"/api/v1/ledger/endpoints/{endpoint.uid}", as_viewer(cast.secretary)

    def listed() -> list[tuple[str, str, str]]:
        items = secretary.get("/api/v1/ledger/endpoints/").json()["items"]
        return [(item["state"], item["reason"], item["answer"]) for item in items]

    well = listed()
    Endpoint.objects.filter(pk=endpoint.pk).update(failures=5)
    paused = listed()
    off = secretary.post(f"{path}/switch-off/")
    switched_off = listed()
    on = secretary.post(f"{path}/switch-on/")

    assert (well, paused) == ([], [("paused", "", "550 no such user")])
    assert switched_off == [("off", "by_hand", "550 no such user")]
    assert (off.json()["state"], on.json()["state"], listed()) == ("off", "well", [])


def test_channels_are_shown_to_secretariats(cast: Cast):
    Channel.objects.create(name="email", failures=2, reason="smtp_away")

    (channel,) = as_viewer(cast.secretary).get("/api/v1/ledger/channels/").json()
    assert (channel["name"], channel["reason"]) == ("email", "smtp_away")
    assert as_viewer(cast.member_liaison).get("/api/v1/ledger/channels/").status_code == 403


def test_channel_is_tried_at_once_by_superusers_alone(cast: Cast):
    Channel.objects.create(name="email", failures=2, paused_until=AT, reason="smtp_away")
    path = "/api/v1/ledger/channels/email/resume/"

    refused = as_viewer(cast.secretary).post(path)
    unknown = as_viewer(cast.superuser).post("/api/v1/ledger/channels/fax/resume/")
    resumed = as_viewer(cast.superuser).post(path)

    assert (refused.status_code, unknown.status_code, resumed.status_code) == (403, 404, 200)
    assert (resumed.json()["paused_until"], resumed.json()["reason"]) == (None, "")


def test_ledger_by_rule_answers_each_time_of_a_reminder_that_repeats(cast: Cast):
    chosen = {"offset": "-P7D", "audience": ["secretariat"]}
    rule = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, repeat_every="P2D", **chosen)
    other = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, **chosen | {"offset": "-P6D"})
    event = make_event(cast.alliance, scheduled=True)
    assert event.starts_at is not None
    for days in (7, 6, 5):
        assert Reminders().fire_next(event.starts_at - timedelta(days=days)) is True

    def listed(of: ReminderRule, viewer: Viewer) -> list[str]:
        items = as_viewer(viewer).get(f"/api/v1/ledger/?rule={of.uid}").json()["items"]
        return sorted(item["due_at"][:10] for item in items)

    assert listed(rule, cast.secretary) == ["2028-05-09", "2028-05-11"]
    assert listed(other, cast.secretary) == ["2028-05-10"]
    assert listed(rule, cast.other_secretary) == []
