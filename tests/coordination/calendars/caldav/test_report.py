"""REPORT: multiget in full, depth of queries, and what is not offered."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.coordination.calendars.caldav.conftest import DECLARED, EVENT_FILTER, OpenPhone, Phone
from tests.factories import Cast, make_event


def test_multiget_answers_each_address_in_order_and_once(open_phone: OpenPhone, cast: Cast) -> None:
    phone, other = open_phone("liaison"), open_phone("host")
    here, there = (make_event(owner, scheduled=True) for owner in (cast.alliance, cast.other))
    hidden = make_event(cast.alliance, scheduled=True, audience="secretariat")
    path = f"{phone.home}jjj/"
    missing = [
        f"{path}{hidden.dav_name}",
        f"{path}{there.dav_name}",
        f"{path}missing.ics",
        f"{other.home}jjj/{here.dav_name}",
        f"{phone.home}dongbei/{there.dav_name}",
        f"http://elsewhere.example{path}{here.dav_name}",
        path,
        "/dav/",
        "relative.ics",
        "%00",
        f"{path}%00.ics",
        "//",
        "",
    ]
    good = f"{path}{here.dav_name}"
    answer = phone.multiget("jjj/", *missing[:3], good, good, *missing[3:])

    assert {href: entry.status for href, entry in answer.entries.items()} == {
        good: 200,
        **dict.fromkeys(missing, 404),
    }
    assert list(answer.entries)[3] == good


def test_multiget_takes_whole_addresses_and_encoded_ones(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"{phone.home}jjj/{event.dav_name}"
    for href in (f"http://testserver{path}", path.replace("-", "%2D"), f"\n  {path}\n"):
        assert list(phone.multiget("jjj/", href).entries) == [path]


def test_multiget_costs_the_same_queries_for_one_and_for_many(phone: Phone, cast: Cast) -> None:
    hrefs = [
        f"{phone.home}jjj/{make_event(cast.alliance, scheduled=True).dav_name}"
        for _number in range(12)
    ]

    def queries(*asked: str) -> int:
        with CaptureQueriesContext(connection) as context:
            assert len(phone.multiget("jjj/", *asked, prop="<C:calendar-data/>").entries)
        return len(context)

    queries(hrefs[0])
    assert queries(hrefs[0]) == queries(*hrefs)


def test_query_of_depth_zero_is_about_the_calendar_itself(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    condition = EVENT_FILTER.format("")
    path = f"jjj/{event.dav_name}"

    assert phone.query("jjj/", condition, Depth="0").names == []
    assert phone.query("jjj/", condition, Depth="infinity").names == [event.dav_name]
    assert phone.query(path, condition, Depth="0").names == [event.dav_name]
    assert phone.query("jjj/nothing.ics", condition, Depth="0").names == []


def test_query_without_properties_lists_addresses(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    body = (
        f"<C:calendar-query {DECLARED}><C:filter>{EVENT_FILTER.format('')}</C:filter>"
        "</C:calendar-query>"
    )

    assert phone.ask("REPORT", "jjj/", body, Depth="1").names == [event.dav_name]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jjj/", f"<D:version-tree {DECLARED}/>"),
        ("jjj/", '<x:made-up xmlns:x="urn:x"/>'),
        ("jjj/", f"<D:acl-principal-prop-set {DECLARED}/>"),
        ("", f"<C:calendar-query {DECLARED}/>"),
        ("", f"<D:sync-collection {DECLARED}/>"),
        ("/dav/", f"<C:calendar-multiget {DECLARED}/>"),
        ("jjj/x.ics", f"<D:sync-collection {DECLARED}/>"),
    ],
)
def test_report_that_is_not_offered_is_refused(path: str, body: str, phone: Phone) -> None:
    answer = phone.ask("REPORT", path, body)

    assert (answer.status, answer.condition) == (403, ["D:supported-report"])


def test_report_without_a_body_is_refused(phone: Phone) -> None:
    assert phone.ask("REPORT", "jjj/").status == 400


@pytest.mark.parametrize("header", [{"Prefer": "return=minimal"}, {"Brief": "t"}])
def test_report_for_a_program_that_wishes_for_little_leaves_out_what_is_not_there(
    header: dict[str, str], phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"{phone.home}jjj/{event.dav_name}"
    prop = "<D:prop><D:getetag/><D:nothing/></D:prop>"
    reports = {
        "C:calendar-query": f"{prop}<C:filter>{EVENT_FILTER.format('')}</C:filter>",
        "C:calendar-multiget": f"{prop}<D:href>{path}</D:href>",
        "D:sync-collection": f"<D:sync-token/><D:sync-level>1</D:sync-level>{prop}",
    }

    for name, inner in reports.items():
        body = f"<{name} {DECLARED}>{inner}</{name}>"
        full = phone.ask("REPORT", "jjj/", body, Depth="1")
        little = phone.ask("REPORT", "jjj/", body, Depth="1", **header)

        assert full.entries[path].refused == {"D:nothing": 404}
        assert (list(little.entries), little.entries[path].refused) == ([path], {})
        assert list(little.entries[path].properties) == ["D:getetag"]
        assert little.response["Preference-Applied"] == "return=minimal"
        assert "Preference-Applied" not in full.response
