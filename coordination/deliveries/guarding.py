"""Which addresses outside may be spoken to: pure arithmetic over URLs and IP addresses.

A web address that people type in is a way into our own network: it may name a neighbour of this
server, in a dozen spellings, or a name that resolves to one when it is looked up the second time.
So a URL is checked when it is entered and before each use (`check_url`), and the very address
that is about to be connected is checked again (`is_forbidden`), whatever a name resolved to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
WEB_PORTS: Final = frozenset({80, 443})
LONGEST_URL = 500
LONGEST_NAME = 253  # RFC 1035 section 2.3.4, without the last dot

# IANA's registries of special-purpose addresses (RFC 6890 and its successors), and multicast.
# Python's own `is_global` lets several of them through: 64:ff9b::/96, 2002::/16, fec0::/10.
FORBIDDEN: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96",  # unspecified, loopback, and IPv4-compatible ones (RFC 4291 section 2.5.5.1)
        "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # all that IANA has given out (RFC 4291)
LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


class EgressRefused(Exception):
    """An address that nothing here may connect to; nothing was connected.

    Attributes:
        code: "not_a_web_address", "https_only", "credentials_in_url", "port_not_allowed" or
            "address_inside".
        detail: what was refused, for the log and the ledger.
        retryable: never: it is refused again tomorrow.
    """

    retryable = False

    def __init__(self, code: str, detail: str = "") -> None:
        """Say why."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Policy:
    """What this installation allows beyond the open internet.

    Attributes:
        allows_http: plain HTTP may be spoken; otherwise HTTPS alone.
        ports: ports that may be connected.
        networks: networks that may be connected although they are not public: where receivers
            of this installation's own network live.
    """

    allows_http: bool = False
    ports: frozenset[int] = WEB_PORTS
    networks: tuple[Network, ...] = ()


def is_forbidden(text: str, *, policy: Policy) -> bool:
    """Whether nothing here may connect to an IP address, given as text.

    An IPv4 address inside an IPv6 one is looked at as what it is (RFC 4291 section 2.5.5.2).
    What cannot be read is forbidden.

    >>> is_forbidden("::ffff:127.0.0.1", policy=Policy())
    True
    """
    try:
        address = ip_address(text)
    except ValueError:
        return True
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in policy.networks):
        return False
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return True
    return any(address in network for network in FORBIDDEN)


def check_url(text: str, *, policy: Policy) -> URL:
    """Return the URL, read once and for all, if it may be connected as far as it tells.

    A name is not resolved here: what it resolves to is checked when it is connected.

    Raises:
        EgressRefused.
    """
    if len(text) > LONGEST_URL or not text.isprintable() or re.search(r"[\s\\]", text):
        raise EgressRefused("not_a_web_address", "a sign that has no place in a web address")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise EgressRefused("not_a_web_address", str(error)) from None
    if url.scheme not in {"http", "https"} or not host or not port:
        raise EgressRefused("not_a_web_address", f"scheme {url.scheme!r}, host {host!r}")
    if url.user is not None or url.password is not None:
        raise EgressRefused("credentials_in_url", "user:password@host")
    if url.scheme == "http" and not policy.allows_http:
        raise EgressRefused("https_only", url.scheme)
    if port not in policy.ports:
        raise EgressRefused("port_not_allowed", str(port))
    _check_host(host, policy)
    return url


def _check_host(host: str, policy: Policy) -> None:
    """Refuse a host that is an address inside, in whatever spelling, or no host at all.

    Raises:
        EgressRefused.
    """
    if ":" in host:
        is_inside = "%" in host or is_forbidden(host, policy=policy)
    elif NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # A host whose last label is a number is an IPv4 address (WHATWG URL, "ends in a number
        # checker"); any spelling but four plain numbers is a disguise, and read as one.
        is_inside = is_forbidden(host, policy=policy)
    elif host == "localhost" or host.endswith(".localhost"):  # RFC 6761 section 6.3
        is_inside = is_forbidden("127.0.0.1", policy=policy)
    else:
        labels = host.split(".")
        if len(host) > LONGEST_NAME or not all(LABEL.fullmatch(label) for label in labels):
            raise EgressRefused("not_a_web_address", f"host {host!r}")
        return
    if is_inside:
        raise EgressRefused("address_inside", host)
