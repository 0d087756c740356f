import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from coordination.deliveries.models import Attempt, Channel, Message
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Part, Rendered
from coordination.deliveries.transports import base, email
from coordination.deliveries.transports.base import Blame, Letter, TransportError
from coordination.deliveries.transports.email import EmailTransport, compose
from tests.coordination.deliveries.fake_smtp import Behaviour, fake_smtp
from tests.coordination.deliveries.stage import Boxes, Notices, drain, queue

UID = UUID("0b6f4c1e-1111-5222-8333-444455556666")


SKILLS = ("SIZE 1000000", "8BITMIME", "PIPELINING")


@pytest.fixture(params=[(), SKILLS], ids=["one_by_one", "pipelined"])
def server(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Behaviour]:
    base.close_transports()  # one that another test left open knows another server
    with fake_smtp() as (port, behaviour):
        behaviour.extensions = request.param
        settings.EMAIL_BACKEND = email.SMTP_BACKEND
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield behaviour
        base.close_transports()


@pytest.fixture
def transport() -> Iterator[EmailTransport]:
    made = EmailTransport()
    yield made
    made.close()


def letter(name: str = "li", **values: object) -> Letter:
    reader = Reader(f"box:{name}", f"{name}@example.org", name="李联络")
    content = {"subject": "提醒:走进天开园", "text": "5月14日 09:30", "html": "<p>5月14日</p>"}
    return Letter(UID, reader, Rendered(**(content | values)), attempt=1)  # type: ignore[arg-type]


def refusal(transport: EmailTransport, name: str) -> TransportError:
    with pytest.raises(TransportError) as caught:
        transport.send(letter(name))
    return caught.value


def test_compose_a_letter_writes_text_html_and_honest_headers(settings: Settings) -> None:
    settings.COORDINATION_BASE_URL = "https://plan.example.cn:8443"
    settings.DEFAULT_FROM_EMAIL = "秘书处 <secretariat@example.cn>"

    mail = compose(letter(unsubscribe_url="https://plan.example.cn/me/")).message()

    assert mail["Message-ID"] == f"<{UID}@plan.example.cn>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "zh-Hans"
    assert mail["List-Unsubscribe"] == "<https://plan.example.cn/me/>"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.get_payload()] == ["text/plain", "text/html"]


def test_compose_a_subject_with_a_line_break_keeps_one_line() -> None:
    mail = compose(letter(subject="提醒\r\nBcc: evil@example.org"))

    assert mail.subject == "提醒 Bcc: evil@example.org"
    assert mail.message()["Bcc"] is None


def test_compose_a_name_with_a_line_break_uses_the_bare_address() -> None:
    reader = Reader("box:1", "li@example.org", name="Li\r\nBcc: evil@example.org")
    mail = compose(Letter(UID, reader, Rendered("s", "t"), 1))

    assert mail.to == ["li@example.org"]


def test_compose_with_a_calendar_puts_it_beside_the_text() -> None:
    calendar = Part(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar")
    sheet = Part(b"PK", "application/zip", "材料.zip")
    mail = compose(letter(parts=(calendar, sheet))).message()

    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/zip",
    ]


def test_send_to_a_server_delivers_it_whole(server: Behaviour, transport: EmailTransport) -> None:
    transport.send(letter())

    ((address, mail),) = server.stored
    assert isinstance(mail, EmailMessage)
    assert (address, mail["Subject"]) == ("li@example.org", "提醒:走进天开园")
    assert mail["To"] == "李联络 <li@example.org>"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "5月14日 09:30"


def test_send_many_keeps_one_connection(server: Behaviour, transport: EmailTransport) -> None:
    for _number in range(5):
        transport.send(letter())

    assert (len(server.stored), server.connections) == (5, 1)


def test_send_after_the_server_hung_up_in_a_silence_opens_another(
    server: Behaviour, transport: EmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "ASK_AFTER_SECONDS", 0.0)
    transport.send(letter())
    transport._backend.connection.sock.shutdown(socket.SHUT_RDWR)

    transport.send(letter())

    assert (len(server.stored), server.connections) == (2, 2)


@pytest.mark.parametrize(
    ("name", "code", "permanent", "blame", "bounced"),
    [
        ("450", "smtp_450", False, Blame.LETTER, False),
        ("550", "smtp_550", True, Blame.LETTER, True),
        ("relay", "smtp_550", False, Blame.EITHER, False),
        ("bye", "smtp_421", False, Blame.CONNECTION, False),
        ("eager", "smtp_550", True, Blame.LETTER, True),
        ("data450", "smtp_452", False, Blame.LETTER, False),
        ("data550", "smtp_554", True, Blame.LETTER, False),
        ("cut", "mail_cut", False, Blame.CONNECTION, False),
        ("cutdata", "mail_cut", False, Blame.CONNECTION, False),
        ("storecut", "mail_cut", False, Blame.CONNECTION, False),
        ("store451", "smtp_451", False, Blame.LETTER, False),
    ],
)
def test_send_to_a_peer_that_misbehaves_says_what_and_whose_fault(
    server: Behaviour,
    transport: EmailTransport,
    name: str,
    code: str,
    permanent: bool,
    blame: Blame,
    bounced: bool,
) -> None:
    error = refusal(transport, name)

    assert (error.code, error.permanent, error.blame, error.bounced) == (
        code,
        permanent,
        blame,
        bounced,
    )
    transport.send(letter("after"))
    assert server.addresses()[-1] == "after@example.org"


def test_send_to_a_server_that_says_nothing_ends_after_a_silence(
    server: Behaviour, transport: EmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "SECONDS_OF_SILENCE", 0.3)
    begun = time.monotonic()

    error = refusal(transport, "hang")

    assert (error.code, error.blame) == ("mail_cut", Blame.CONNECTION)
    assert time.monotonic() - begun < 5


def test_send_to_a_server_that_drips_is_cut_off(
    server: Behaviour, transport: EmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "SECONDS_IN_ALL", 0.5)
    begun = time.monotonic()

    error = refusal(transport, "drip")

    assert error.blame in (Blame.CONNECTION, Blame.LETTER)
    assert not error.permanent
    assert time.monotonic() - begun < 5


def test_send_refused_as_a_sender_is_our_fault(
    server: Behaviour, transport: EmailTransport
) -> None:
    server.sender_answer = "550 5.7.1 sender not allowed"

    assert refusal(transport, "li").blame is Blame.US


def test_prepare_with_nobody_listening_is_the_channels_fault(
    server: Behaviour, transport: EmailTransport, settings: Settings
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]
        with pytest.raises(TransportError) as caught:
            transport.prepare()

    assert (caught.value.code, caught.value.blame) == ("smtp_away", Blame.CHANNEL)


@pytest.mark.parametrize(
    ("greeting", "blame"), [("554 go away", Blame.US), ("421 too many", Blame.CHANNEL)]
)
def test_prepare_with_a_server_that_turns_us_away(
    server: Behaviour, transport: EmailTransport, greeting: str, blame: Blame
) -> None:
    server.greeting = greeting

    with pytest.raises(TransportError) as caught:
        transport.prepare()

    assert caught.value.blame is blame


def test_prepare_with_a_password_the_server_does_not_take_is_our_fault(
    server: Behaviour, transport: EmailTransport, settings: Settings
) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "who", "what"

    with pytest.raises(TransportError) as caught:
        transport.prepare()  # a server without AUTH: smtplib says so before it asks

    assert caught.value.blame is Blame.US


def test_send_to_an_address_that_cannot_be_written_is_dead(
    server: Behaviour, transport: EmailTransport
) -> None:
    reader = Reader("box:1", "li@example.org\r\nBcc: x@example.org")

    with pytest.raises(TransportError) as caught:
        transport.send(Letter(UID, reader, Rendered("s", "t"), 1))

    assert (caught.value.code, caught.value.permanent) == ("bad_letter", True)
    assert server.stored == []


def test_send_into_a_folder_writes_a_file(
    settings: Settings, transport: EmailTransport, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "coordination.mail.Files"
    settings.EMAIL_FILE_PATH = tmp_path

    transport.send(letter())

    assert len(list(tmp_path.glob("*.eml"))) == 1
    assert email.connections() == 1


def test_send_into_a_folder_that_cannot_be_written_may_pass(
    settings: Settings, transport: EmailTransport, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.EMAIL_BACKEND = "coordination.mail.Files"
    settings.EMAIL_FILE_PATH = tmp_path / "file"

    error = refusal(transport, "li")

    assert (error.permanent, error.blame) == (False, Blame.CONNECTION)


@pytest.mark.django_db
def test_drain_with_peers_of_every_kind_sends_the_good_ones(
    server: Behaviour,
    source: Notices,
    boxes: Boxes,
    at: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(email, "SECONDS_OF_SILENCE", 0.3)
    base.register_transport("email", EmailTransport)
    bad = ["450", "550", "hang", "data550", "storecut", "store451"]
    good = [f"good{number}" for number in range(10)]
    queue(*(f"box:{name}" for name in bad + good), channel="email")

    drain(channel="email")

    states = dict(Message.objects.values_list("recipient", "state"))
    assert {states[f"box:{name}"] for name in good} == {"sent"}
    assert {name: states[f"box:{name}"] for name in bad} == {
        "450": "pending",
        "550": "dead",
        "hang": "pending",
        "data550": "dead",
        "storecut": "pending",
        "store451": "pending",
    }
    assert boxes.bounced == [("box:550", "550@example.org")]

    drain(at + timedelta(minutes=2), channel="email")
    twice = [mail["Message-ID"] for address, mail in server.stored if "storecut" in address]
    assert len(twice) == 2
    assert len(set(twice)) == 1
    assert sorted(server.addresses()) == sorted(
        [f"{name}@example.org" for name in [*good, *["storecut", "store451"] * 2]]
    )
    assert Attempt.objects.filter(message__recipient="box:storecut").count() == 2
    base.close_transports()


@pytest.mark.django_db
def test_drain_with_the_server_down_waits_and_then_sends_all(
    server: Behaviour, source: Notices, boxes: Boxes, at: datetime, settings: Settings
) -> None:
    base.register_transport("email", EmailTransport)
    queue("box:a", "box:b", channel="email")
    port = settings.EMAIL_PORT
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]
        drain(channel="email")
    settings.EMAIL_PORT = port

    assert Channel.objects.get().reason.startswith("smtp_away")
    assert drain(at + timedelta(seconds=6), channel="email").sent == 2
    base.close_transports()
