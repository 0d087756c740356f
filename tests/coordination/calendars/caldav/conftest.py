"""A calendar program that signs in with an app password and reads what it gets."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.test import Client

from coordination.accounts.models import TokenKind, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from tests.factories import AT, Cast

NAMESPACES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
EVENT_FILTER = '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{}</C:comp-filter></C:comp-filter>'  # noqa: E501
TASK_FILTER = EVENT_FILTER.replace("VEVENT", "VTODO")


def qualified(name: str) -> str:
    prefix, _colon, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def short(name: str) -> str:
    for prefix, uri in NAMESPACES.items():
        name = name.replace(f"{{{uri}}}", f"{prefix}:")
    return name


@dataclass
class Entry:
    """What a multistatus says of one address."""

    status: int = 200
    properties: dict[str, ElementTree.Element] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.properties[name].text or ""

    def hrefs(self, name: str) -> list[str]:
        return [one.text or "" for one in self.properties[name].iter(qualified("D:href"))]

    def inner(self, name: str) -> list[str]:
        return [short(one.tag) for one in self.properties[name].iter()][1:]


@dataclass
class Answer:
    """An answer, read."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def root(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.response.content)

    @property
    def text(self) -> str:
        return self.response.content.decode()

    @property
    def entries(self) -> dict[str, Entry]:
        assert self.status == 207, self.text
        found = {}
        for response in self.root.findall(qualified("D:response")):
            entry = Entry()
            whole = response.findtext(qualified("D:status"))
            if whole:
                entry.status = int(whole.split()[1])
            for propstat in response.findall(qualified("D:propstat")):
                status = int((propstat.findtext(qualified("D:status")) or "").split()[1])
                for one in propstat.iterfind(f"{qualified('D:prop')}/*"):
                    if status == 200:
                        entry.properties[short(one.tag)] = one
                    else:
                        entry.refused[short(one.tag)] = status
            href = response.findtext(qualified("D:href")) or ""
            assert href not in found
            found[href] = entry
        return found

    @property
    def names(self) -> list[str]:
        return [href.rpartition("/")[2] for href in self.entries]

    @property
    def only(self) -> Entry:
        (entry,) = self.entries.values()
        return entry

    @property
    def condition(self) -> list[str]:
        """What a DAV:error names, without the sentence."""
        assert self.root.tag == qualified("D:error"), self.text
        named = [short(one.tag) for one in self.root]
        return [name for name in named if name != "D:responsedescription"]

    @property
    def token(self) -> str:
        return self.root.findtext(qualified("D:sync-token")) or ""


class Phone:
    """A calendar program of one person."""

    def __init__(self, user: User, secret: str) -> None:
        self.user = user
        self.secret = secret
        self.home = f"/dav/calendars/{user.uid}/"
        self.principal = f"/dav/principals/{user.uid}/"

    @property
    def authorization(self) -> str:
        credentials = f"{self.user.username}:{self.secret}".encode()
        return f"Basic {base64.b64encode(credentials).decode()}"

    def ask(self, method: str, path: str, body: str | bytes = "", **headers: str) -> Answer:
        if not path.startswith(("/dav", "/.")):
            path = self.home + path
        sent = {"Authorization": self.authorization}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        client = Client(raise_request_exception=False)
        return Answer(
            client.generic(method, path, data, content_type="application/xml", headers=sent)
        )

    def propfind(self, path: str, *names: str, depth: str = "0", **headers: str) -> Answer:
        asked = "".join(f"<{name}/>" for name in names)
        body = f"<D:propfind {DECLARED}><D:prop>{asked}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, Depth=depth, **headers)

    def value(self, path: str, name: str) -> str:
        return self.propfind(path, name).only.text(name)

    def sync(
        self, path: str, token: str = "", *, limit: int | str = "", prop: str = "<D:getetag/>"
    ) -> Answer:
        cut = f"<D:limit><D:nresults>{limit}</D:nresults></D:limit>" if limit != "" else ""
        body = (
            f"<D:sync-collection {DECLARED}><D:sync-token>{token}</D:sync-token>"
            f"<D:sync-level>1</D:sync-level>{cut}<D:prop>{prop}</D:prop></D:sync-collection>"
        )
        return self.ask("REPORT", path, body)

    def query(
        self,
        path: str,
        condition: str,
        *,
        prop: str = "<D:getetag/>",
        more: str = "",
        **headers: str,
    ) -> Answer:
        body = (
            f"<C:calendar-query {DECLARED}><D:prop>{prop}</D:prop>"
            f"<C:filter>{condition}</C:filter>{more}</C:calendar-query>"
        )
        return self.ask("REPORT", path, body, **{"Depth": "1"} | headers)

    def multiget(self, path: str, *hrefs: str, prop: str = "<D:getetag/>") -> Answer:
        asked = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
        body = (
            f"<C:calendar-multiget {DECLARED}><D:prop>{prop}</D:prop>{asked}</C:calendar-multiget>"
        )
        return self.ask("REPORT", path, body, Depth="1")


OpenPhone = Callable[..., Phone]


@pytest.fixture
def open_phone(cast: Cast, fixed_clock: object) -> OpenPhone:
    """Give a person of the cast a calendar program, by user name."""

    def open_one(username: str = "liaison", **values: Any) -> Phone:
        user = User.objects.get(username=username)
        chosen = {"kind": TokenKind.APP_PASSWORD, "name": "phone"} | values
        issued = issue_token(user, viewer=SYSTEM, at=AT, **chosen)
        return Phone(user, issued.secret)

    return open_one


@pytest.fixture
def phone(open_phone: OpenPhone) -> Phone:
    """The phone of a member's liaison officer."""
    return open_phone("liaison")


@pytest.fixture
def staff_phone(open_phone: OpenPhone) -> Phone:
    """The phone of the secretariat."""
    return open_phone("secretary")
