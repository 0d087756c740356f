import socket

import pytest

from coordination.starting.binding import Binding, CannotBind, parse_binding, require_free
from tests.servers import free_port


@pytest.mark.parametrize(
    ("text", "address", "url"),
    [
        ("127.0.0.1:8000", "127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0:80", "0.0.0.0", "http://127.0.0.1:80"),
        ("[::1]:65535", "::1", "http://[::1]:65535"),
        ("[::]:1", "::", "http://[::1]:1"),
    ],
)
def test_parse_binding_of_an_address(text: str, address: str, url: str):
    binding = parse_binding(text)

    assert binding.address == address
    assert binding.url == url


def test_parse_binding_of_a_name_finds_its_address():
    binding = parse_binding("localhost:8000")

    assert binding.host == "localhost"
    assert binding.is_loopback is True


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("8000", "it must be HOST:PORT"),
        (":8000", "it must be HOST:PORT"),
        ("127.0.0.1:", "it must be HOST:PORT"),
        ("127.0.0.1:http", "it must be HOST:PORT"),
        ("127.0.0.1:８０", "it must be HOST:PORT"),
        ("::1:8000", "in brackets"),
        ("127.0.0.1:0", "from 1 to 65535"),
        ("127.0.0.1:65536", "from 1 to 65535"),
        ("no.such.host.invalid:8000", "is not known"),
        ("a b:8000", "is not known"),
    ],
)
def test_parse_binding_of_anything_else_says_what_is_wrong(text: str, sentence: str):
    with pytest.raises(CannotBind, match=sentence):
        parse_binding(text)


def test_require_free_of_a_port_in_use_says_so():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CannotBind, match=f"^127.0.0.1:{port} is in use by another program"):
            require_free(Binding(host="127.0.0.1", address="127.0.0.1", port=port))


def test_require_free_of_a_free_port_leaves_it_free():
    binding = Binding(host="127.0.0.1", address="127.0.0.1", port=free_port())

    require_free(binding)
    require_free(binding)


def test_require_free_of_a_foreign_address_says_so():
    with pytest.raises(CannotBind, match="cannot be listened on"):
        require_free(Binding(host="192.0.2.1", address="192.0.2.1", port=free_port()))
