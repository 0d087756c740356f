"""XML that is meant to harm is refused early, in words; what is written can be read."""

from xml.etree import ElementTree

import pytest
from django.test import RequestFactory

from coordination.calendars.caldav import xml
from coordination.calendars.caldav.xml import Refused
from tests.coordination.calendars.caldav.conftest import DECLARED, Phone

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + "".join(f'<!ENTITY lol{n + 1} "{f"&lol{n or str()};" * 10}">' for n in range(9))
    + ']><D:propfind xmlns:D="DAV:"><D:prop><D:displayname>&lol9;</D:displayname></D:prop></D:propfind>'  # noqa: E501
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname>&x;</D:displayname></D:prop></D:propfind>'
)
PARAMETER = '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/evil.dtd"><a/>'
DEEP = "<a>" * 5000 + "</a>" * 5000
WIDE = f"<D:propfind {DECLARED}><D:prop>{'<D:x/>' * 8000}</D:prop></D:propfind>"
LONG_NAME = f'<D:propfind {DECLARED}><D:prop><x:a xmlns:x="{"n" * 2000}"/></D:prop></D:propfind>'
HREFS = f"<C:calendar-multiget {DECLARED}><D:prop/>{'<D:href>/dav/</D:href>' * 10_000}</C:calendar-multiget>"  # noqa: E501


@pytest.mark.parametrize(
    ("body", "status", "condition"),
    [
        (BOMB, 403, ["D:no-external-entities"]),
        (EXTERNAL, 403, ["D:no-external-entities"]),
        (PARAMETER, 403, ["D:no-external-entities"]),
        (DEEP, 403, ["D:number-of-matches-within-limits"]),
        (WIDE, 403, ["D:number-of-matches-within-limits"]),
        (HREFS, 403, ["D:number-of-matches-within-limits"]),
        (LONG_NAME, 403, ["D:number-of-matches-within-limits"]),
        ("<unclosed", 400, []),
        ("no xml at all", 400, []),
        ("<a xmlns:x='y'><x:b></a>", 400, []),
        ("<?xml version='1.0' encoding='utf-99'?><a/>", 400, []),
        ("<?xml version='1.0' encoding='utf-16'?><a/>", 400, []),
        (b"<a>\xff\xfe</a>", 400, []),
        (b"\x00\x00\x00", 400, []),
        ("<a>\x01</a>", 400, []),
        ("<a/>" * 2, 400, []),
        ("&undefined;", 400, []),
        (f"<D:other {DECLARED}/>", None, []),
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
def test_body_that_is_meant_to_harm_is_refused(
    method: str, body: str | bytes, status: int | None, condition: list[str], phone: Phone
) -> None:
    answer = phone.ask(method, "jjj/", body, Depth="0")

    if status is None:  # well-formed, but no request of this method
        assert answer.status in (400, 403)
    else:
        assert (answer.status, answer.condition) == (status, condition)
    assert answer.root.findtext("{DAV:}responsedescription")


class Unread:
    """A body that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError(size)


@pytest.mark.parametrize("announced", ["10000000", "1048577", "-1", "many"])
def test_body_announced_as_too_long_is_refused_unread(announced: str) -> None:
    request = RequestFactory().generic("REPORT", "/dav/")
    request.META["CONTENT_LENGTH"] = announced
    request._stream = Unread()  # type: ignore[attr-defined]

    with pytest.raises(Refused) as refused:
        xml.read_octets(request)
    assert refused.value.status == 413


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
def test_body_of_ten_megabytes_is_refused(method: str, phone: Phone) -> None:
    answer = phone.ask(method, "jjj/", b"<a>" + b"x" * 10_000_000 + b"</a>", Depth="0")

    assert answer.status == 413


def test_parse_of_the_largest_body_stays_within_its_bounds() -> None:
    octets = b"<a>" + b"<b/>" * (xml.MAX_ELEMENTS - 1) + b"</a>"

    root = xml.parse(octets)
    assert root is not None
    assert len(root) == xml.MAX_ELEMENTS - 1
    with pytest.raises(Refused):
        xml.parse(octets.replace(b"</a>", b"<b/></a>"))


@pytest.mark.parametrize("value", ["<&>\"'", "a\r\nb", "]]>", "联盟 – “x”", " ", "%s %%"])
def test_text_written_is_the_text_read(value: str) -> None:
    root = ElementTree.fromstring(f"<a>{xml.text(value)}</a>")

    assert root.text == value


@pytest.mark.parametrize(
    "qualified",
    [
        *("{DAV:}x", '{urn:a"b&<>}x', "{}x", "x", "{http://a/}b-c.d", "{urn:百度}名"),
        "{http://www.w3.org/XML/1998/namespace}lang",
    ],
)
def test_property_element_keeps_its_name_whatever_the_namespace(qualified: str) -> None:
    written = f"<D:root {DECLARED}>{xml.property_element(qualified, 'y')}</D:root>"
    (child,) = ElementTree.fromstring(written)

    assert (child.tag, child.text) == (qualified.replace("{}", ""), "y")


def test_empty_body_is_nothing() -> None:
    assert xml.parse(b" \r\n") is None
