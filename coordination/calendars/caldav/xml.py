"""XML in and out: what clients send is read guardedly, what they get is written by templates.

Reading refuses document types, entities and everything that only serves to exhaust a server, as
early as it can be told. Writing puts strings together: an answer of a thousand entries costs what
joining them costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DAV: Final = "DAV:"
CALDAV: Final = "urn:ietf:params:xml:ns:caldav"
CALENDARSERVER: Final = "http://calendarserver.org/ns/"
APPLE: Final = "http://apple.com/ns/ical/"
PREFIXES: Final = {DAV: "D", CALDAV: "C", CALENDARSERVER: "CS", APPLE: "A"}

PLAIN: Final = "identity"  # the coding that is none
MAX_BODY: Final = 1024 * 1024  # octets
MAX_ELEMENTS: Final = 6000
MAX_DEPTH: Final = 40
MAX_NAME: Final = 1000  # characters of an element's name with its namespace
RESERVED: Final = {"http://www.w3.org/XML/1998/namespace": "xml"}
"""Namespaces that only their own prefix may mean (Namespaces in XML, section 3)."""
HEAD: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
DECLARATIONS: Final = " ".join(f'xmlns:{short}="{uri}"' for uri, short in PREFIXES.items())
CONTENT_TYPE: Final = "application/xml; charset=utf-8"
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

MULTISTATUS: Final = 207
INSUFFICIENT_STORAGE: Final = "HTTP/1.1 507 Insufficient Storage"
REASONS: Final = {
    200: "OK",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    424: "Failed Dependency",
}


def name(namespace: str, local: str) -> str:
    """Return a qualified name as the parser writes it: "{namespace}local"."""
    return f"{{{namespace}}}{local}"


class Refused(Exception):
    """A request that is answered with an error, and why.

    Attributes:
        status: of HTTP.
        condition: inner XML of the DAV:error (RFC 4918 section 16); empty for none.
        sentence: for people.
        headers: that the answer carries beside.
    """

    def __init__(
        self,
        status: int,
        condition: str,
        sentence: str | Promise,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(condition)
        self.status = status
        self.condition = condition
        self.sentence = sentence
        self.headers = headers

    def response(self) -> HttpResponse:
        """Return the answer, in the active language."""
        answer = error_response(self.status, self.condition, self.sentence)
        for header, value in self.headers.items():
            answer[header] = value
        return answer


class _TooMuch(Exception):
    """More elements than any client needs."""


class _BoundedBuilder(TreeBuilder):
    """Builds a tree of bounded size and depth, with names that can be said again many times."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0
        self.depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self.elements += 1
        self.depth += 1
        is_too_much = self.elements > MAX_ELEMENTS or self.depth > MAX_DEPTH
        if is_too_much or len(tag) > MAX_NAME:
            raise _TooMuch
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self.depth -= 1
        return super().end(tag)


def check_coding(request: HttpRequest) -> None:
    """See that a body is sent as it is (RFC 9110 sections 8.4 and 15.5.16).

    Raises:
        Refused: 415, which names what is taken (RFC 9110 section 12.5.3).
    """
    if request.headers.get("Content-Encoding", PLAIN).strip().lower() not in ("", PLAIN):
        sentence = _("Send the body as it is, not compressed.")
        raise Refused(415, "", sentence, headers={"Accept-Encoding": PLAIN})


def read_octets(request: HttpRequest, *, limit: int = MAX_BODY) -> bytes:
    """Return the body, which is not read at all where it is announced to be too long.

    Raises:
        Refused: 413.
    """
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdigit() or int(announced) > limit:
        raise too_large()
    octets: bytes = request.read(limit + 1)
    if len(octets) > limit:
        raise too_large()
    return octets


def too_large() -> Refused:
    """Return the refusal of a body that is too long."""
    return Refused(413, "", _("The request is too long. Ask for less at a time."))


def parse(octets: bytes) -> Element | None:
    """Return the root of what a client sent; None for an empty body.

    Raises:
        Refused: it is no XML (400), brings a document type or entities (403), or is too much of
            it (403).
    """
    if not octets.strip():
        return None
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    try:
        parser.feed(octets)
        root: Element = parser.close()
    except DefusedXmlException as error:
        sentence = _("Document types and entities are not taken in XML.")
        raise Refused(403, element("D:no-external-entities"), sentence) from error
    except _TooMuch as error:
        condition = element("D:number-of-matches-within-limits")
        raise Refused(403, condition, _("The request asks for too much at once.")) from error
    except (ParseError, ValueError, LookupError) as error:
        raise Refused(400, "", _("The body of the request is not well-formed XML.")) from error
    return root


def text(value: str) -> str:
    """Return ``value`` as character data; a carriage return is kept by a reference."""
    return escape(value).replace("\r", "&#13;")


def element(tag: str, inner: str = "") -> str:
    """Return an element with one of our prefixes around ``inner`` XML."""
    return f"<{tag}>{inner}</{tag}>" if inner else f"<{tag}/>"


def property_element(qualified: str, inner: str = "") -> str:
    """Return a property element for a name as the parser gives it, whatever its namespace."""
    namespace, local = split(qualified)
    prefix = PREFIXES.get(namespace) or RESERVED.get(namespace)
    if prefix is not None:
        return element(f"{prefix}:{local}", inner)
    declared = f"<X:{local} xmlns:X={quoteattr(namespace)}" if namespace else f"<{local}"
    closing = f"</X:{local}>" if namespace else f"</{local}>"
    return f"{declared}>{inner}{closing}" if inner else f"{declared}/>"


def split(qualified: str) -> tuple[str, str]:
    """Return namespace and local part of a qualified name."""
    if qualified.startswith("{"):
        namespace, _brace, local = qualified[1:].partition("}")
        return namespace, local
    return "", qualified


def href(path: str) -> str:
    """Return a DAV:href."""
    return f"<D:href>{text(path)}</D:href>"


def propstat(properties: str, status: int, *, condition: str = "", sentence: str = "") -> str:
    """Return a DAV:propstat (RFC 4918 section 14.22)."""
    error = element("D:error", condition) if condition else ""
    words = element("D:responsedescription", text(sentence)) if sentence else ""
    return (
        f"<D:propstat><D:prop>{properties}</D:prop>"
        f"<D:status>HTTP/1.1 {status} {REASONS[status]}</D:status>{error}{words}</D:propstat>"
    )


def response(path: str, propstats: str) -> str:
    """Return a DAV:response with properties."""
    return f"<D:response>{href(path)}{propstats}</D:response>"


def status_response(path: str, status: int) -> str:
    """Return a DAV:response that only says a status."""
    words = f"<D:status>HTTP/1.1 {status} {REASONS[status]}</D:status>"
    return f"<D:response>{href(path)}{words}</D:response>"


def multistatus(responses: Iterable[str], *, tail: str = "") -> HttpResponse:
    """Return a 207 of these responses; ``tail`` follows them."""
    body = "".join(
        (HEAD, f"<D:multistatus {DECLARATIONS}>", *responses, tail, "</D:multistatus>\n")
    )
    return HttpResponse(body.encode(), status=MULTISTATUS, content_type=CONTENT_TYPE)


def document(tag: str, inner: str, *, status: int = 200) -> HttpResponse:
    """Return an answer that is one element."""
    body = f"{HEAD}<{tag} {DECLARATIONS}>{inner}</{tag}>\n"
    return HttpResponse(body.encode(), status=status, content_type=CONTENT_TYPE)


def error_response(status: int, precondition_element: str, sentence: str | Promise) -> HttpResponse:
    """Return an error with the precondition that failed, and a sentence for people.

    Args:
        status: of HTTP, such as 403, 409 or 412.
        precondition_element: inner XML of the DAV:error with our prefixes, such as
            ``<C:valid-calendar-data/>``; empty for none.
        sentence: said in the active language, as DAV:responsedescription.
    """
    words = element("D:responsedescription", text(str(sentence)))
    answer = document("D:error", precondition_element + words, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
