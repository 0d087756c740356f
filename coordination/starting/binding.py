"""Where ``up`` listens: HOST:PORT read, checked, and tried before anything else is done."""

import errno
import socket
from dataclasses import dataclass


class CannotBind(ValueError):
    """The address cannot be listened on; the message says why in one sentence."""


@dataclass(frozen=True)
class Binding:
    """An address to listen on: ``host`` as written, ``address`` the IP it stands for."""

    host: str
    address: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        return self.address.startswith("127.") or self.address == "::1"

    @property
    def url(self) -> str:
        """The address to open in a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def parse_binding(text: str) -> Binding:
    """Read ``HOST:PORT`` or ``[IPv6]:PORT``.

    Raises:
        CannotBind: it is not of that form, the port is not 1 to 65535, or the host is not known.
    """
    host, colon, port_text = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise CannotBind(f"--bind {text}: write an IPv6 address in brackets, as [::1]:8000.")
    if not colon or not host or not (port_text.isascii() and port_text.isdigit()):
        raise CannotBind(f"--bind {text}: it must be HOST:PORT, as 127.0.0.1:8000.")
    port = int(port_text)
    if not 1 <= port <= 65535:
        raise CannotBind(f"--bind {text}: the port must be from 1 to 65535.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise CannotBind(f"--bind {text}: the host {host} is not known.") from error
    return Binding(host=host, address=str(found[0][4][0]), port=port)


def require_free(binding: Binding) -> None:
    """Make sure that the address can be listened on now.

    Raises:
        CannotBind: another program listens there, the address is not this machine's, or it needs
            rights that this user does not have.
    """
    family = socket.AF_INET6 if ":" in binding.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((binding.address, binding.port))
            probe.listen()
        except OSError as error:
            raise CannotBind(_why(error, binding)) from error


def _why(error: OSError, binding: Binding) -> str:
    where = f"{binding.host}:{binding.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where} is in use by another program (perhaps another start of this one); "
            "choose another with --bind HOST:PORT."
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"{where} needs rights this user does not have; choose a port above 1023."
    return f"{where} cannot be listened on: {error.strerror or error}."
