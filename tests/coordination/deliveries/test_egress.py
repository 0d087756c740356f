import socket
import threading
import time
from ipaddress import ip_network
from typing import Any

import pytest

from coordination.deliveries import egress
from coordination.deliveries.egress import Answer, EgressFailed, EgressRefused, Gate, Policy
from tests.coordination.deliveries import receiver as peers
from tests.coordination.deliveries.receiver import Receiver, answers, receiving
from tests.coordination.deliveries.test_guarding import INSIDE

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Sockets:
    """Makes sockets and notes for which addresses: what is not here was never connected."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, info: egress.AddressInfo) -> socket.socket:
        self.addresses.append(str(info[4][0]))
        return socket.socket(info[0], info[1], info[2])


class Names:
    """Resolves names by a table; each look-up takes the next answer, the last one for ever."""

    def __init__(self, **table: list[list[str]]) -> None:
        self.table = {name.replace("_", "."): list(turns) for name, turns in table.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[egress.AddressInfo]:
        self.asked.append(host)
        turns = self.table.get(host)
        if not turns:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                (address, port),
            )
            for address in addresses
        ]


def gate_to(receiver: Receiver, **options: Any) -> Gate:
    """A gate that lets loopback receivers be reached."""
    policy = Policy(allows_http=True, ports=frozenset({receiver.port}), networks=LOOPBACK)
    return Gate(policy, **options)


def ask(gate: Gate, url: str, **options: Any) -> Answer:
    options = {"headers": {}, "content": b"{}", **options}
    return gate.begin_post(url, **options).result(timeout=20)


@pytest.mark.network
def test_post_gives_the_answer_and_sends_what_it_was_given():
    with receiving(answers(202, b'{"ok":true}', X_Word="yes", Set_Cookie="a=b")) as receiver:
        answer = ask(
            gate_to(receiver),
            receiver.url("/hook?a=1"),
            headers={"Content-Type": "application/json", "webhook-id": "1"},
            content="名".encode(),
        )

    (call,) = receiver.calls
    assert (answer.status, answer.body, answer.is_whole) == (202, b'{"ok":true}', True)
    assert answer.headers["x-word"] == "yes"
    assert (call.method, call.path, call.body) == ("POST", "/hook?a=1", "名".encode())
    assert {name: value for name, value in call.headers.items() if name != "host"} == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": "3",
        "content-type": "application/json",
        "user-agent": "Coordination",
        "webhook-id": "1",
    }


@pytest.mark.network
def test_post_twice_sends_no_cookie_back():
    with receiving(answers(200, b"", Set_Cookie="seat=1; Path=/")) as receiver:
        gate = gate_to(receiver, resolve=Names(hooks_example=[["127.0.0.1"]]))
        for _n in range(2):
            ask(gate, f"http://hooks.example:{receiver.port}/")

    assert [call.headers.get("cookie") for call in receiver.calls] == [None, None]
    assert receiver.connections == 2


@pytest.mark.network
def test_post_takes_no_proxy_from_the_environment(monkeypatch):
    with receiving() as receiver, receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        ask(gate_to(receiver), receiver.url())

    assert (len(receiver.calls), proxy.connections) == (1, 0)


@pytest.mark.network
def test_post_to_a_redirect_does_not_follow_it():
    with receiving() as other, receiving(answers(307, b"", Location=other.url())) as receiver:
        answer = ask(gate_to(receiver), receiver.url())

    assert (answer.status, answer.headers["location"]) == (307, other.url())
    assert other.connections == 0


@pytest.mark.parametrize("url", INSIDE)
def test_post_to_an_address_inside_makes_no_socket(url: str):
    sockets, names = Sockets(), Names(localhost=[["127.0.0.1"]])

    with pytest.raises(EgressRefused, match="address_inside"):
        ask(Gate(Policy(allows_http=True), names, sockets), url)

    assert (sockets.addresses, names.asked) == ([], [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "::1", "fe80::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "fec0::1", "fd00::1", "ff02::1",
    ],
)  # fmt: skip
def test_post_to_a_name_that_resolves_inside_makes_no_socket(address: str):
    sockets, names = Sockets(), Names(hooks_example=[[address]])

    with pytest.raises(EgressRefused) as refused:
        ask(Gate(Policy(), names, sockets), "https://hooks.example/")

    assert (refused.value.code, refused.value.detail) == ("address_inside", address)
    assert (sockets.addresses, names.asked) == ([], ["hooks.example"])


@pytest.mark.network
def test_post_to_a_name_that_resolves_inside_the_second_time_makes_no_second_socket():
    with receiving() as receiver:
        sockets = Sockets()
        names = Names(hooks_example=[["127.0.0.1"], ["10.0.0.1"]])
        gate = gate_to(receiver, resolve=names, make_socket=sockets)
        url = f"http://hooks.example:{receiver.port}/"

        first = ask(gate, url)
        with pytest.raises(EgressRefused, match=r"address_inside: 10\.0\.0\.1"):
            ask(gate, url)

    assert first.status == 200
    assert (sockets.addresses, receiver.connections) == (["127.0.0.1"], 1)


@pytest.mark.network
def test_post_to_a_name_with_one_address_inside_tries_the_others_alone():
    with receiving() as receiver:
        sockets = Sockets()
        names = Names(hooks_example=[["10.0.0.1", "127.0.0.1"]])

        answer = ask(
            gate_to(receiver, resolve=names, make_socket=sockets),
            f"http://hooks.example:{receiver.port}/",
        )

    assert answer.status == 200
    assert sockets.addresses == ["127.0.0.1"]


@pytest.mark.network
@pytest.mark.parametrize("behaviour", [peers.hangs, peers.drips_head])
def test_post_to_a_peer_that_never_comes_to_an_end_ends_at_the_deadline(behaviour: Any):
    with receiving(behaviour) as receiver:
        began = time.monotonic()
        with pytest.raises(EgressFailed) as failed:
            ask(gate_to(receiver), receiver.url(), total_seconds=0.4)
        lasted = time.monotonic() - began

    assert (failed.value.code, failed.value.retryable) == ("timeout", True)
    assert 0.3 < lasted < peers.HANG_SECONDS


@pytest.mark.network
def test_post_to_a_peer_that_drips_its_body_has_its_status():
    with receiving(peers.drips_body) as receiver:
        answer = ask(gate_to(receiver), receiver.url(), total_seconds=0.4)

    assert (answer.status, answer.is_whole) == (200, False)
    assert answer.body == b"x" * len(answer.body)
    assert len(answer.body) < 100


@pytest.mark.network
def test_post_to_a_peer_that_floods_reads_no_more_than_the_limit():
    with receiving(peers.floods) as receiver:
        answer = ask(gate_to(receiver), receiver.url(), at_most_bytes=1000)

    assert (answer.status, answer.body, answer.is_whole) == (200, b"x" * 1000, False)


@pytest.mark.network
def test_post_with_an_answer_of_just_the_limit_is_whole():
    with receiving(answers(200, b"x" * 1000)) as receiver:
        answer = ask(gate_to(receiver), receiver.url(), at_most_bytes=1000)

    assert (answer.body, answer.is_whole) == (b"x" * 1000, True)


@pytest.mark.network
@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (peers.talks_garbage, "not_http"),
        (peers.floods_head, "not_http"),
        (peers.cuts, "cut"),
    ],
)
def test_post_to_a_peer_that_speaks_no_http_fails(behaviour: Any, code: str):
    with receiving(behaviour) as receiver, pytest.raises(EgressFailed) as failed:
        ask(gate_to(receiver), receiver.url())

    assert failed.value.code == code


@pytest.mark.network
def test_post_over_tls_to_a_peer_without_it_fails():
    with receiving(peers.talks_garbage) as receiver, pytest.raises(EgressFailed) as failed:
        ask(gate_to(receiver), receiver.url().replace("http:", "https:"), total_seconds=2)

    assert failed.value.code in {"tls_failed", "timeout", "cut"}


@pytest.mark.network
def test_post_to_a_closed_port_fails():
    with receiving() as receiver:
        pass

    with pytest.raises(EgressFailed) as failed:
        ask(gate_to(receiver), receiver.url())

    assert failed.value.code == "not_connected"


def test_post_to_an_unknown_name_fails():
    with pytest.raises(EgressFailed) as failed:
        ask(Gate(Policy(), Names()), "https://hooks.example/")

    assert failed.value.code == "unknown_name"


def test_post_to_a_name_whose_look_up_hangs_ends_at_its_deadline():
    told = threading.Event()

    def resolve(host: str, port: int) -> list[egress.AddressInfo]:
        told.wait(10)
        return []

    began = time.monotonic()
    with pytest.raises(EgressFailed, match="timeout"):
        ask(Gate(Policy(), resolve), "https://hooks.example/", connect_seconds=0.3)
    lasted = time.monotonic() - began
    told.set()

    assert lasted < 5


@pytest.mark.network
def test_begin_post_to_many_hanging_peers_waits_for_all_at_once():
    with receiving(peers.hangs) as receiver:
        gate = gate_to(receiver)
        began = time.monotonic()
        futures = [
            gate.begin_post(receiver.url(), headers={}, content=b"", total_seconds=1)
            for _n in range(40)
        ]
        codes = {getattr(future.exception(20), "code", None) for future in futures}
        lasted = time.monotonic() - began

    assert codes == {"timeout"}
    assert lasted < 10


def test_post_without_knobs_speaks_neither_http_nor_to_this_machine(settings):
    for url, code in (
        ("http://example.org/", "https_only"),
        ("https://127.0.0.1/", "address_inside"),
        ("https://example.org:8443/", "port_not_allowed"),
    ):
        with pytest.raises(EgressRefused) as refused:
            egress.post(url, headers={}, content=b"")
        with pytest.raises(EgressRefused):
            egress.check(url)
        assert refused.value.code == code


@pytest.mark.network
def test_post_where_the_knobs_allow_it_reaches_a_receiver_inside(settings):
    with receiving() as receiver:
        settings.EGRESS_HTTP = True
        settings.EGRESS_PORTS = [receiver.port]
        settings.EGRESS_NETWORKS = list(LOOPBACK)

        egress.check(receiver.url())
        answer = egress.post(receiver.url(), headers={}, content=b"{}")

    assert (answer.status, len(receiver.calls)) == (200, 1)


@pytest.mark.parametrize(
    ("said", "seconds"), [("120", 120), (" 5 ", 5), ("", None), ("soon", None), ("-1", None)]
)
def test_retry_after_is_read_in_seconds(said: str, seconds: int | None):
    wait = Answer(429, {"retry-after": said}, b"", True).retry_after

    assert (None if wait is None else wait.total_seconds()) == seconds
