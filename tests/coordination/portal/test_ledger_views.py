from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from alliances.models import Person
from alliances.seating import add_person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Attempt, Channel, Endpoint, Heartbeat, Message
from coordination.deliveries.timing import database_time
from coordination.portal.ledger_views import KINDS
from events.models import Event, InboundMailbox
from events.reminding import add_reminder_rule
from tests.factories import AT, Cast, make_alliance, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def key_of(viewer: Viewer) -> str:
    return f"person:{Person.objects.get(user=viewer.user_id).uid}"


def told(viewer: Viewer, event: Event, *, state: str = "sent", source: str = "notice") -> Message:
    """Tell a person about an event; the message is in the state named."""
    cause = Cause(
        source, f"{event.pk}", due_at=AT, send_after=AT,
        about_type="events.event", about_uid=event.uid,
    )  # fmt: skip
    enqueue([key_of(viewer)], channel="email", cause=cause)
    bundle_due(AT)
    message = Message.objects.latest("pk")
    sent_at = AT if state == "sent" else None
    Message.objects.filter(pk=message.pk).update(state=state, sent_at=sent_at, attempts=1)
    Attempt.objects.create(
        message=message, number=1, outcome="dead" if state == "dead" else "sent",
        detail="550 no such user", address="secret@example.org", begun_at=AT, ended_at=AT,
    )  # fmt: skip
    return message


def lines(response) -> list[tuple[str, str]]:
    return [(line.row.recipient, line.state) for line in response.context["lines"]]


def test_ledger_of_a_secretary_shows_what_her_events_told(cast: Cast):
    told(cast.member_liaison, make_event(cast.alliance), source="chase")
    told(cast.member_liaison, make_event(make_alliance("other")))

    response = as_viewer(cast.secretary).get("/ledger/")

    assert lines(response) == [(key_of(cast.member_liaison), "sent")]
    assert [str(line.kind) for line in response.context["lines"]] == [str(KINDS["chase"])]


def test_ledger_of_a_reader_shows_what_was_meant_for_them(cast: Cast):
    event = make_event(cast.alliance)
    told(cast.member_liaison, event)
    told(cast.secretary, event)

    response = as_viewer(cast.member_liaison).get("/ledger/")

    assert lines(response) == [(key_of(cast.member_liaison), "sent")]


def test_ledger_names_once_whom_mail_told_in_place_of_an_inbox_that_nobody_opens(cast: Cast):
    event = make_event(cast.alliance)
    somebody = add_person(viewer=SYSTEM, at=AT, name_zh="示例联络员")
    cause = Cause(
        "chase", f"{event.pk}", due_at=AT, send_after=AT,
        about_type="events.event", about_uid=event.uid,
    )  # fmt: skip
    enqueue([f"person:{somebody.uid}"], channel="inbox", cause=cause)
    bundle_due(AT)
    client = as_viewer(cast.secretary)

    usual, dropped = (client.get("/ledger/", {"state": state}) for state in ("", "superseded"))

    assert [line.row.channel for line in usual.context["lines"]] == ["email"]
    assert [line.row.channel for line in dropped.context["lines"]] == ["inbox"]


def test_ledger_without_an_account_asks_to_sign_in():
    response = Client().get("/ledger/")

    assert (response.status_code, response.url[:16]) == (302, "/accounts/login/")


def test_ledger_by_state_person_event_and_day_shows_those_alone(cast: Cast):
    first, second = make_event(cast.alliance), make_event(cast.alliance)
    told(cast.member_liaison, first, state="dead")
    told(cast.secretary, second)
    client = as_viewer(cast.secretary)
    dead, sent = (key_of(cast.member_liaison), "dead"), (key_of(cast.secretary), "sent")
    later = (AT + timedelta(days=2)).date()

    assert lines(client.get("/ledger/?state=dead")) == [dead]
    assert lines(client.get(f"/ledger/?event={second.uid}")) == [sent]
    assert lines(client.get(f"/ledger/?person={key_of(cast.secretary)[7:]}")) == [sent]
    assert lines(client.get(f"/ledger/?since={later}")) == []


def test_ledger_leads_from_a_name_to_what_that_person_was_told(cast: Cast):
    event = make_event(cast.alliance)
    told(cast.member_liaison, event)
    told(cast.secretary, event)
    uid = key_of(cast.member_liaison).partition(":")[2]
    address = f"/ledger/?person={uid}"

    all_lines, own_lines = (
        as_viewer(viewer).get("/ledger/").content.decode()
        for viewer in (cast.secretary, cast.member_liaison)
    )

    assert (f'href="{address}"' in all_lines, f'href="{address}"' in own_lines) == (True, False)
    assert lines(as_viewer(cast.secretary).get(address)) == [(key_of(cast.member_liaison), "sent")]


def test_ledger_of_one_channel_shows_its_lines_alone(cast: Cast):
    told(cast.member_liaison, make_event(cast.alliance))
    Channel.objects.bulk_create([Channel(name="email"), Channel(name="inbox")])
    client = as_viewer(cast.secretary)

    by_mail, by_inbox = (client.get("/ledger/", {"channel": n}) for n in ("email", "inbox"))

    assert (len(lines(by_mail)), len(lines(by_inbox))) == (1, 0)
    assert '<option value="email" selected>' in by_mail.content.decode()


def test_message_shows_each_try_and_the_address_to_the_secretariat_alone(cast: Cast):
    message = told(cast.member_liaison, make_event(cast.alliance))
    address = f"/ledger/messages/{message.uid}/"

    for viewer, shows in ((cast.secretary, True), (cast.member_liaison, False)):
        page = as_viewer(viewer).get(address).content.decode()
        assert "550 no such user" in page
        assert ("secret@example.org" in page) is shows


def test_message_of_somebody_else_is_not_found(cast: Cast):
    message = told(cast.secretary, make_event(make_alliance("other")))

    assert as_viewer(cast.member_liaison).get(f"/ledger/messages/{message.uid}/").status_code == 404


def test_again_for_one_dead_message_makes_it_due(cast: Cast):
    message = told(cast.member_liaison, make_event(cast.alliance), state="dead")

    as_viewer(cast.secretary).post("/ledger/all/again/", {"uid": str(message.uid)})

    message.refresh_from_db()
    assert (message.state, message.failures) == ("pending", 0)


def test_again_for_days_leaves_other_alliances_alone(cast: Cast):
    ours = told(cast.member_liaison, make_event(cast.alliance), state="dead")
    told(cast.member_liaison, make_event(make_alliance("other")), state="dead")

    as_viewer(cast.secretary).post("/ledger/all/again/", {"since": AT.date().isoformat()})

    assert list(Message.objects.filter(state="pending")) == [ours]


@pytest.mark.parametrize("verb", ["again", "release", "skip"])
def test_days_that_end_before_they_begin_are_refused(cast: Cast, verb: str):
    message = told(cast.member_liaison, make_event(cast.alliance), state="dead")
    days = {"since": "2028-01-11", "until": "2028-01-10"}

    response = as_viewer(cast.secretary).post(f"/ledger/all/{verb}/", days, follow=True)

    [said] = response.context["messages"]
    assert (said.level_tag, "0" in str(said)) == ("error", False)
    message.refresh_from_db()
    assert message.state == "dead"


def test_ledger_of_a_rule_is_reached_from_its_page_and_named(cast: Cast):
    rule = add_reminder_rule(cast.alliance, offset="-P7D", viewer=SYSTEM, at=AT)
    client, path = as_viewer(cast.secretary), f"/ledger/?rule={rule.uid}"

    assert f'href="{path}"' in client.get(f"/reminders/{rule.uid}/").content.decode()
    assert client.get(path).context["narrowed"] == "提前 7 天"


def test_release_lets_held_messages_go_and_skip_gives_them_up(cast: Cast):
    one = told(cast.member_liaison, make_event(cast.alliance), state="held")
    two = told(cast.member_liaison, make_event(cast.alliance), state="held")
    client = as_viewer(cast.secretary)

    client.post("/ledger/all/release/", {"uid": str(one.uid)})
    client.post("/ledger/all/skip/", {"uid": str(two.uid)})

    found = dict(Message.objects.values_list("pk", "state"))
    assert found == {one.pk: "pending", two.pk: "superseded"}


def test_again_by_a_liaison_is_refused(cast: Cast):
    message = told(cast.member_liaison, make_event(cast.alliance), state="dead")

    response = as_viewer(cast.member_liaison).post("/ledger/all/again/", {"uid": str(message.uid)})

    assert response.status_code == 403
    assert Message.objects.get().state == "dead"


def test_switch_turns_an_address_off_and_on(cast: Cast):
    told(cast.member_liaison, make_event(cast.alliance))
    endpoint = Endpoint.objects.get(channel="email")
    client = as_viewer(cast.secretary)

    client.post(f"/ledger/endpoints/{endpoint.uid}/", {"to": "off"})
    endpoint.refresh_from_db()
    assert (endpoint.disabled_at is not None, endpoint.disabled_reason) == (True, "by_hand")
    assert client.get("/ledger/health/").context["addresses"][0].row == endpoint
    client.post(f"/ledger/endpoints/{endpoint.uid}/", {"to": "on"})
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_health_says_what_a_failing_address_answers_and_leads_to_its_reader(cast: Cast):
    message = told(cast.member_liaison, make_event(cast.alliance), state="dead")
    Message.objects.update(error="552 5.2.2 mailbox full")
    Endpoint.objects.filter(pk=message.endpoint_id).update(failures=5)
    uid = key_of(cast.member_liaison).partition(":")[2]

    text = as_viewer(cast.secretary).get("/ledger/health/").content.decode()

    assert "552 5.2.2 mailbox full" in text
    assert f'href="/ledger/?person={uid}"' in text


def test_health_shows_every_failing_address_page_by_page(cast: Cast, monkeypatch):
    monkeypatch.setattr("coordination.portal.ledger_views.PAGE_ROWS", 1)
    event = make_event(cast.alliance)
    for viewer in (cast.member_liaison, cast.host_liaison):
        told(viewer, event)
    Endpoint.objects.update(failures=5)
    client = as_viewer(cast.secretary)

    pages = [client.get("/ledger/health/", {"page": page}) for page in ("", "2")]

    shown = [one.row for page in pages for one in page.context["addresses"]]
    assert {endpoint.pk for endpoint in shown} == set(Endpoint.objects.values_list("pk", flat=True))
    assert 'href="?page=2"' in pages[0].content.decode()


def test_resume_of_a_channel_is_for_superusers(cast: Cast):
    assert as_viewer(cast.secretary).post("/ledger/channels/email/").status_code == 403


def test_health_says_once_that_the_clock_is_silent(cast: Cast):
    cache.clear()
    secretary = as_viewer(cast.secretary)

    assert secretary.get("/ledger/health/").content.count(b'role="alert"') == 1
    Heartbeat.objects.create(name="loop@here", beat_at=database_time())
    cache.clear()
    assert secretary.get("/ledger/health/").content.count(b'role="alert"') == 0


def test_pages_of_staff_show_the_banner_without_a_script_and_others_do_not(cast: Cast):
    cache.clear()
    secretary, liaison = as_viewer(cast.secretary), as_viewer(cast.member_liaison)
    banner = b"/ledger/health/"

    assert banner in secretary.get("/plans/").content
    assert banner not in liaison.get("/plans/").content
    Heartbeat.objects.create(name="loop@here", beat_at=database_time())
    cache.clear()
    assert banner not in secretary.get("/plans/").content


def test_mailbox_that_cannot_be_read_is_shown_to_staff_and_its_answer_to_superusers(
    cast: Cast, settings
):
    Heartbeat.objects.create(name="loop", beat_at=database_time())
    settings.INBOUND_MAILBOX = {"user": "reply", "host": "mail.example.org", "folder": "INBOX"}
    InboundMailbox.objects.create(
        name="reply @ mail.example.org/INBOX", failing_since=database_time(), error="login: NO"
    )
    User.objects.update(language="en")
    words = "The mailbox that answers come to cannot be read"

    def seen(viewer: Viewer, path: str) -> tuple[bool, bool]:
        text = as_viewer(viewer).get(path).content.decode()
        return words in text, "login: NO" in text

    assert seen(cast.secretary, "/events/") == (True, False)
    assert seen(cast.secretary, "/ledger/health/") == (True, False)
    assert seen(cast.superuser, "/ledger/health/") == (True, True)
    assert seen(cast.member_liaison, "/events/") == (False, False)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30", "yesterday"])
def test_show_between_days_that_no_clock_shows_asks_for_everything(cast: Cast, day: str) -> None:
    told(cast.host_liaison, make_event(cast.alliance, scheduled=True))
    client = as_viewer(cast.secretary)

    found = [client.get("/ledger/", {name: day}) for name in ("since", "until")]

    assert [(page.status_code, len(lines(page))) for page in found] == [(200, 1), (200, 1)]
