"""Reports about people find the person who asks, and nobody else."""

import pytest

from tests.coordination.calendars.caldav.conftest import DECLARED, Answer, Phone


def search(phone: Phone, *wanted: str, test: str = "", prop: str = "D:displayname") -> Answer:
    parts = "".join(
        f"<D:property-search><D:prop><{prop}/></D:prop><D:match>{one}</D:match></D:property-search>"
        for one in wanted
    )
    body = (
        f"<D:principal-property-search{test} {DECLARED}>{parts}"
        "<D:prop><D:displayname/></D:prop></D:principal-property-search>"
    )
    return phone.ask("REPORT", "/dav/principals/", body, Depth="0")


@pytest.mark.parametrize(
    ("wanted", "test", "prop", "is_found"),
    [
        (("liai",), "", "D:displayname", True),
        (("LIAISON",), "", "D:displayname", True),
        (("secretary",), "", "D:displayname", False),
        (("liaison", "secretary"), "", "D:displayname", False),
        (("liaison", "secretary"), ' test="anyof"', "D:displayname", True),
        (("liaison@example.org",), "", "C:calendar-user-address-set", True),
        (("liaison@",), "", "CS:email-address-set", True),
        (("liaison",), "", "D:owner", False),
        (("",), "", "D:displayname", False),
    ],
)
def test_search_finds_oneself_or_nobody(
    wanted: tuple[str, ...], test: str, prop: str, is_found: bool, phone: Phone
) -> None:
    found = search(phone, *wanted, test=test, prop=prop).entries

    assert list(found) == ([phone.principal] if is_found else [])


def test_search_for_nothing_is_refused(phone: Phone) -> None:
    assert search(phone).status == 400


def test_search_properties_are_told(phone: Phone) -> None:
    body = f"<D:principal-search-property-set {DECLARED}/>"
    answer = phone.ask("REPORT", "/dav/principals/", body, Depth="0")

    assert (answer.status, answer.root.tag) == (200, "{DAV:}principal-search-property-set")
    assert len(answer.root) == 3


def test_match_finds_oneself(phone: Phone) -> None:
    body = (
        f"<D:principal-match {DECLARED}><D:self/><D:prop><D:principal-URL/></D:prop>"
        "</D:principal-match>"
    )
    answer = phone.ask("REPORT", "/dav/principals/", body, Depth="0")

    assert answer.only.hrefs("D:principal-URL") == [phone.principal]
    assert phone.ask("REPORT", "jjj/", body, Depth="0").entries == {}


def test_expanded_property_answers_for_what_it_names(phone: Phone) -> None:
    body = (
        f'<D:expand-property {DECLARED}><D:property name="current-user-principal">'
        '<D:property name="displayname"/><D:property name="calendar-home-set" '
        'namespace="urn:ietf:params:xml:ns:caldav"><D:property name="displayname"/></D:property>'
        '</D:property><D:property name="nothing" namespace="urn:x"/></D:expand-property>'
    )
    answer = phone.ask("REPORT", "jjj/", body, Depth="0")
    hrefs = [one.text for one in answer.root.iter("{DAV:}href")]

    assert hrefs == [f"{phone.home}jjj/", phone.principal, phone.home]
    assert [one.text for one in answer.root.iter("{DAV:}displayname")] == ["liaison", "liaison"]
    assert "nothing" in answer.text


@pytest.mark.parametrize("name", ["1", "", "a b", "<", "a&quot;b"])
def test_expanded_property_of_no_possible_name_is_refused(name: str, phone: Phone) -> None:
    name = name.replace("<", "&lt;")
    body = f'<D:expand-property {DECLARED}><D:property name="{name}"/></D:expand-property>'

    assert phone.ask("REPORT", "", body, Depth="0").status == 400


@pytest.mark.parametrize("namespace", ["a}b", "http://www.w3.org/2000/xmlns/"])
def test_expanded_property_of_no_possible_namespace_is_refused(
    namespace: str, phone: Phone
) -> None:
    inner = f'<D:property name="x" namespace="{namespace}"/>'
    body = f"<D:expand-property {DECLARED}>{inner}</D:expand-property>"

    assert phone.ask("REPORT", "/dav/", body, Depth="0").status == 400
