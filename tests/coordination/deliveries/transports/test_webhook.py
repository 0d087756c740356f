import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook, WebhookVerificationError

from coordination.deliveries import sources
from coordination.deliveries.backoff import WEBHOOK
from coordination.deliveries.egress import Answer
from coordination.deliveries.models import Attempt, Endpoint, Message
from coordination.deliveries.subscribing import rotate_secret
from coordination.deliveries.transports import base
from coordination.deliveries.transports.webhook import WebhookTransport, words_of
from tests.coordination.deliveries import receiver as peers
from tests.coordination.deliveries.receiver import answers, receiving
from tests.coordination.deliveries.stage import AT
from tests.coordination.deliveries.webhook_stage import (
    SYSTEM,
    News,
    feed,
    hook_to,
    later,
    let_out,
    send,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.network]


@pytest.fixture(autouse=True)
def news() -> Iterator[News]:
    source = News()
    sources.register_source(source)
    base.register_transport("webhook", WebhookTransport)
    yield source
    base.close_transports()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that only its owner vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begun = datetime.now(UTC) - timedelta(days=1)
    written = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = folder / "both.pem"
    file.write_bytes(written.public_bytes(pem) + key.private_bytes(pem, form, nothing))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_send_is_signed_so_that_the_standard_library_accepts_it():
    with receiving() as receiver, let_out(receiver):
        made = hook_to(receiver.url())
        [message] = feed(made.subscription, "名")

        tally = send()

    [call] = receiver.calls
    verified = Webhook(made.secret).verify(call.body, call.headers)
    message.refresh_from_db()
    attempt = Attempt.objects.get()
    assert verified == {
        "type": "event.revised",
        "timestamp": "2028-02-29T15:30:00Z",
        "data": {"uid": "名"},
    }
    assert call.headers["webhook-id"] == str(message.uid)
    assert call.headers["content-type"] == "application/json"
    assert (tally.sent, message.state) == (1, "sent")
    assert (attempt.outcome, attempt.detail, attempt.address) == (
        "sent", "200 {}", receiver.url(),
    )  # fmt: skip
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(call.body + b" ", call.headers)


def test_send_again_has_the_same_id_and_body_and_a_fresh_timestamp():
    with receiving(answers(503, b"later")) as receiver, let_out(receiver):
        made = hook_to(receiver.url())
        [message] = feed(made.subscription, "1")
        send()
        receiver.behaviour = answers(200)
        send(later(seconds=10))

    first, second = receiver.calls
    same = ("webhook-id", "content-length")
    assert [first.headers[name] for name in same] == [second.headers[name] for name in same]
    assert first.body == second.body
    for call in (first, second):
        Webhook(made.secret).verify(call.body, call.headers)
    message.refresh_from_db()
    tries = list(message.tries.order_by("pk").values_list("outcome", "code", "detail"))
    assert tries == [("retry", "http_503", "503 later"), ("sent", "", "200 {}")]


def test_send_after_a_rotation_signs_with_both_secrets_for_a_day():
    with receiving() as receiver, let_out(receiver):
        now = datetime.now(UTC)
        made = hook_to(receiver.url())
        renewed = rotate_secret(made.subscription, viewer=SYSTEM, at=now)
        feed(made.subscription, "1")
        send()
        past = now - timedelta(seconds=1)
        Endpoint.objects.update(previous_secret_until=past)
        feed(made.subscription, "2")
        send()

    both, alone = receiver.calls
    assert made.secret != renewed.secret
    assert [len(call.headers["webhook-signature"].split()) for call in (both, alone)] == [2, 1]
    for secret in (made.secret, renewed.secret):
        Webhook(secret).verify(both.body, both.headers)
    Webhook(renewed.secret).verify(alone.body, alone.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made.secret).verify(alone.body, alone.headers)


@pytest.mark.parametrize("status", [400, 401, 404, 408, 425, 429, 500, 502, 503])
def test_send_that_is_refused_is_tried_again_by_the_table(status: int):
    with receiving(answers(status)) as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        send()

    message.refresh_from_db()
    wait = message.next_attempt_at - AT
    assert (message.state, message.reason, message.failures) == ("pending", f"http_{status}", 1)
    assert timedelta(seconds=4) <= wait <= timedelta(seconds=10)


def test_send_that_is_asked_to_wait_waits_at_most_a_day():
    waits = []
    for asked in ("3600", "9999999"):
        with receiving(answers(429, Retry_After=asked)) as receiver, let_out(receiver):
            [message] = feed(hook_to(receiver.url(), name=asked).subscription, asked)
            send()
        message.refresh_from_db()
        waits.append((message.next_attempt_at - AT).total_seconds() // 60)

    assert waits == [60, 24 * 60]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_send_to_a_redirect_is_dead_and_not_followed(status: int):
    with receiving() as other:
        behaviour = answers(status, b"", Location=other.url())
        with receiving(behaviour) as receiver, let_out(receiver, other):
            [message] = feed(hook_to(receiver.url()).subscription, "1")
            send()

    message.refresh_from_db()
    endpoint = Endpoint.objects.get()
    assert (message.state, message.reason) == ("dead", f"http_{status}")
    assert message.error == f"{status} {other.url()}"
    assert (other.connections, endpoint.failures, endpoint.disabled_at) == (0, 1, None)


def test_send_to_what_is_gone_switches_the_endpoint_off():
    with receiving(answers(410)) as receiver, let_out(receiver):
        made = hook_to(receiver.url())
        first, second = feed(made.subscription, "1", "2", lane="一")
        send()
        send(later(hours=1))

    first.refresh_from_db()
    second.refresh_from_db()
    endpoint = Endpoint.objects.get()
    assert (first.state, first.reason) == ("dead", "http_410")
    assert (second.state, len(receiver.calls)) == ("pending", 1)
    assert (endpoint.disabled_reason, endpoint.disabled_at is not None) == ("http_410", True)


def test_send_to_an_address_inside_connects_nothing_and_switches_the_endpoint_off():
    with receiving() as receiver:
        with let_out(receiver):
            [message] = feed(hook_to(receiver.url()).subscription, "1")
        send()

    message.refresh_from_db()
    endpoint = Endpoint.objects.get()
    assert receiver.connections == 0
    assert (message.state, message.reason) == ("dead", "https_only")
    assert endpoint.disabled_reason == "https_only"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [(peers.cuts, "cut"), (peers.talks_garbage, "not_http"), (peers.floods_head, "not_http")],
)
def test_send_to_a_peer_that_misbehaves_may_pass(behaviour: peers.Behaviour, code: str):
    with receiving(behaviour) as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        send()

    message.refresh_from_db()
    assert (message.state, message.reason) == ("pending", code)


def test_send_to_a_peer_that_nobody_vouches_for_says_nothing_to_it(tmp_path: Path):
    with receiving(tls=self_signed(tmp_path)) as receiver, let_out(receiver):
        url = receiver.url().replace("http:", "https:")
        [message] = feed(hook_to(url).subscription, "1")
        send()

    message.refresh_from_db()
    assert (message.state, message.reason, message.in_doubt) == ("pending", "tls_failed", False)
    assert (receiver.connections, receiver.calls) == (1, [])


def test_send_to_a_peer_that_floods_is_taken_at_its_word():
    with receiving(peers.floods) as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        send()

    message.refresh_from_db()
    assert (message.state, len(message.tries.get().detail)) == ("sent", 304)


def test_send_gives_up_after_the_last_step_of_the_table():
    with receiving(answers(500)) as receiver, let_out(receiver):
        [message] = feed(hook_to(receiver.url()).subscription, "1")
        Message.objects.filter(pk=message.pk).update(failures=len(WEBHOOK.steps))
        send()

    message.refresh_from_db()
    assert (message.state, message.reason) == ("dead", "given_up")


def test_words_of_an_answer_hold_no_control_characters():
    answer = Answer(500, {}, "a\x00b\r\n\x1b[31m名\xff".encode()[:-1], True)

    assert words_of(answer) == "500 a b [31m名\ufffd"
    assert words_of(Answer(204, {}, b"", True)) == "204"
