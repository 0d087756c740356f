import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from coordination.deliveries.transports.smtp import hand_over
from tests.coordination.deliveries.fake_smtp import Behaviour, fake_smtp

SKILLS = ("SIZE 1000000", "8BITMIME", "PIPELINING")
CONTENT = "Subject: t\r\n\r\n.第一行\r\n..\r\n最后一行".encode()
SENDER = "secretariat@example.cn"


@contextmanager
def connected(*extensions: str) -> Iterator[tuple[smtplib.SMTP, Behaviour]]:
    with fake_smtp() as (port, behaviour):
        behaviour.extensions = extensions
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
            yield smtp, behaviour


def send(smtp: smtplib.SMTP, name: str = "li") -> None:
    hand_over(smtp, sender=SENDER, recipient=f"{name}@example.org", content=CONTENT)


@pytest.mark.parametrize("extensions", [(), SKILLS])
def test_hand_over_lines_that_begin_with_dots_keeps_them(extensions: tuple[str, ...]) -> None:
    with connected(*extensions) as (smtp, server):
        send(smtp)

    ((address, mail),) = server.stored
    assert address == "li@example.org"
    assert mail.get_payload(decode=True) == CONTENT.partition(b"\r\n\r\n")[2] + b"\r\n"


def test_hand_over_to_a_server_that_pipelines_takes_one_turn_before_the_content() -> None:
    with connected(*SKILLS) as (smtp, server):
        server.waits_for_groups = True  # answers nothing before DATA has come
        send(smtp)

        assert server.commands[1:] == [
            f"mail FROM:<{SENDER}> size={len(CONTENT)} body=8bitmime",
            "rcpt TO:<li@example.org>",
            "data",
        ]


def test_hand_over_to_a_server_that_announces_nothing_asks_one_by_one() -> None:
    with connected() as (smtp, server):
        send(smtp)

        # A command is the same in any letters (RFC 5321 section 2.4): smtplib has changed its own.
        assert [command.lower() for command in server.commands[1:]] == [
            f"mail from:<{SENDER}>",
            "rcpt to:<li@example.org>",
            "data",
        ]


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("450", smtplib.SMTPRecipientsRefused),
        ("550", smtplib.SMTPRecipientsRefused),
        ("eager", smtplib.SMTPRecipientsRefused),
        ("data450", smtplib.SMTPDataError),
        ("data550", smtplib.SMTPDataError),
    ],
)
@pytest.mark.parametrize("extensions", [(), SKILLS])
def test_hand_over_after_a_refusal_uses_the_same_connection(
    extensions: tuple[str, ...], name: str, refusal: type[Exception]
) -> None:
    with connected(*extensions) as (smtp, server):
        with pytest.raises(refusal):
            send(smtp, name)
        send(smtp)

        assert (server.addresses(), server.connections) == (["li@example.org"], 1)


def test_hand_over_of_a_refused_sender_is_told_as_that() -> None:
    with connected(*SKILLS) as (smtp, server):
        server.sender_answer = "550 5.7.1 not you"
        with pytest.raises(smtplib.SMTPSenderRefused) as caught:
            send(smtp)

    assert (caught.value.smtp_code, server.stored) == (550, [])


def test_hand_over_to_a_server_that_says_goodbye_closes() -> None:
    with connected(*SKILLS) as (smtp, _server):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(smtp, "bye")

        assert smtp.sock is None


def test_hand_over_to_an_address_with_a_line_break_sends_nothing() -> None:
    with connected(*SKILLS) as (smtp, server):
        smtp.ehlo()
        with pytest.raises(ValueError, match="line break"):
            hand_over(smtp, sender=SENDER, recipient="<\r\n", content=CONTENT)

        smtp.noop()
        assert server.commands[1:] == ["noop"]
