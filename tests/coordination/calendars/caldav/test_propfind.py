"""PROPFIND: depths, what is asked for, what is answered of what is not there, and what it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.accounts.viewer import SYSTEM
from events.scheduling import revise_event
from tests.coordination.calendars.caldav.conftest import DECLARED, OpenPhone, Phone
from tests.factories import AT, Cast, make_alliance, make_event

ALL = [
    "D:creationdate",
    "D:displayname",
    "D:getcontentlength",
    "D:getcontenttype",
    "D:getetag",
    "D:getlastmodified",
    "D:resourcetype",
]


LONG = "x" * 900


def propfind(inner: str) -> str:
    return f"<D:propfind {DECLARED}>{inner}</D:propfind>"


def test_home_lists_one_s_own_calendar_then_every_alliance_s(phone: Phone, cast: Cast) -> None:
    answer = phone.propfind("", "D:resourcetype", "D:displayname", depth="1")

    assert {
        href.removeprefix(phone.home): (entry.text("D:displayname"), entry.inner("D:resourcetype"))
        for href, entry in answer.entries.items()
    } == {
        "": ("liaison", ["D:collection"]),
        "mine/": ("我的活动", ["D:collection", "C:calendar"]),
        "jjj/": ("联盟jjj", ["D:collection", "C:calendar"]),
        "dongbei/": ("联盟dongbei", ["D:collection", "C:calendar"]),
    }


def test_root_tells_who_asks_also_a_program_that_lost_its_question(phone: Phone) -> None:
    def told(body: str) -> list[str]:
        return sorted(phone.ask("PROPFIND", "/dav/", body, Depth="0").only.properties)

    everything = ["D:displayname", "D:resourcetype"]
    assert told(propfind("<D:allprop/>")) == everything
    assert told("") == ["D:current-user-principal", *everything]


def test_collection_of_depth_one_lists_its_objects(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    make_event(cast.alliance)
    make_event(cast.other, scheduled=True)

    answer = phone.propfind("jjj/", "D:getetag", "D:getcontenttype", "D:resourcetype", depth="1")

    collection, entry = answer.entries.values()
    assert list(answer.entries) == [f"{phone.home}jjj/", f"{phone.home}jjj/{event.dav_name}"]
    assert collection.inner("D:resourcetype") == ["D:collection", "C:calendar"]
    assert entry.inner("D:resourcetype") == []
    assert entry.text("D:getcontenttype") == "text/calendar; charset=utf-8; component=VEVENT"
    assert entry.text("D:getetag").startswith('"2-')


def test_collection_holds_what_the_alliance_co_hosts(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.other, scheduled=True, co_hosts=[cast.alliance])

    for name in ("jjj", "dongbei"):
        assert phone.propfind(f"{name}/", "D:getetag", depth="1").names == ["", event.dav_name]


def test_properties_of_a_calendar_are_what_clients_need(phone: Phone, cast: Cast) -> None:
    asked = [
        "D:owner",
        "D:current-user-principal",
        "C:supported-calendar-component-set",
        "C:supported-collation-set",
        "C:calendar-description",
        "C:calendar-timezone",
        "C:calendar-timezone-id",
        "C:max-resource-size",
        "A:calendar-color",
        "A:calendar-order",
        "CS:getctag",
        "D:sync-token",
        "D:supported-report-set",
        "C:calendar-home-set",
    ]
    entry = phone.propfind("jjj/", *asked).only

    assert list(entry.properties) == asked
    assert entry.hrefs("D:owner") == entry.hrefs("D:current-user-principal") == [phone.principal]
    assert entry.hrefs("C:calendar-home-set") == [phone.home]
    components = entry.properties["C:supported-calendar-component-set"]
    assert [one.get("name") for one in components] == ["VEVENT"]
    assert [one.text for one in entry.properties["C:supported-collation-set"]] == [
        "i;ascii-casemap",
        "i;octet",
        "i;unicode-casemap",
    ]
    assert entry.text("C:calendar-description") == "联盟jjj的活动。"
    assert "\r\nTZID:Asia/Shanghai\r\n" in entry.text("C:calendar-timezone")
    assert entry.text("A:calendar-color") == "#4682B4FF"
    assert entry.text("D:sync-token").startswith("urn:coordination:sync:")
    assert [one for one in entry.inner("D:supported-report-set") if one.startswith("C:")] == [
        "C:calendar-query",
        "C:calendar-multiget",
        "C:free-busy-query",
    ]


def test_privileges_are_reading_and_writing_for_the_owner_s_secretariat_only(
    open_phone: OpenPhone,
) -> None:
    reading = ["D:read", "C:read-free-busy"]
    writing = [*reading, "D:write-content", "D:bind", "D:unbind"]

    def privileges(username: str, path: str) -> list[str]:
        entry = open_phone(username).propfind(path, "D:current-user-privilege-set").only
        return [one for one in entry.inner("D:current-user-privilege-set") if one != "D:privilege"]

    assert privileges("secretary", "jjj/") == writing
    assert privileges("secretary", "dongbei/") == reading
    assert privileges("secretary", "mine/") == reading
    assert privileges("liaison", "jjj/") == reading
    assert privileges("stranger", "jjj/") == reading


@pytest.mark.parametrize("path", ["/dav/principals/", "", "jjj/", "mine/"])
@pytest.mark.parametrize("body", ["", propfind("<D:allprop/>")])
def test_allprop_answers_the_properties_of_the_rfc(path: str, body: str, phone: Phone) -> None:
    entry = phone.ask("PROPFIND", path, body, Depth="0").only

    assert set(entry.properties) <= set(ALL)
    assert {"D:displayname", "D:resourcetype"} <= set(entry.properties)
    assert entry.refused == {}


def test_allprop_adds_what_is_included(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    body = propfind("<D:allprop/><D:include><CS:getctag/><D:nothing/></D:include>")
    entry = phone.ask("PROPFIND", f"jjj/{event.dav_name}", body, Depth="0").only

    assert sorted(entry.properties) == [name for name in ALL if name != "D:creationdate"]
    assert entry.refused == {"CS:getctag": 404, "D:nothing": 404}


def test_propname_answers_names_without_values(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    for path in ("jjj/", f"jjj/{event.dav_name}"):
        entry = phone.ask("PROPFIND", path, propfind("<D:propname/>"), Depth="0").only
        assert "D:owner" in entry.properties
        assert all(not len(one) and not one.text for one in entry.properties.values())


def test_properties_that_are_not_there_are_said_to_be_missing_unless_the_client_would_not_hear(
    phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    for path in ("jjj/", f"jjj/{event.dav_name}", "/dav/"):
        full = phone.propfind(path, "D:owner", "D:nothing", "C:calendar-data").only
        minimal = phone.propfind(path, "D:owner", "D:nothing", Prefer="return=minimal")
        only_missing = phone.propfind(path, "D:nothing").only
        nothing = phone.propfind(path, "D:nothing", Prefer="return=minimal")

        assert (list(full.properties), full.refused) == (
            ["D:owner"],
            {"D:nothing": 404, "C:calendar-data": 404},
        )
        assert (list(minimal.only.properties), minimal.only.refused) == (["D:owner"], {})
        assert minimal.response["Preference-Applied"] == "return=minimal"
        assert (only_missing.properties, only_missing.refused) == ({}, {"D:nothing": 404})
        assert "propstat" in nothing.text
        assert nothing.only.refused == {}


def test_scheduling_is_not_offered_but_addresses_are_told(phone: Phone) -> None:
    asked = ("C:schedule-inbox-URL", "C:schedule-outbox-URL", "C:calendar-user-address-set")
    told = phone.propfind(phone.principal, *asked)
    calendar = phone.propfind("jjj/", "C:schedule-calendar-transp", "C:schedule-tag").only

    assert "calendar-auto-schedule" not in told.response["DAV"]
    assert told.only.refused == {"C:schedule-inbox-URL": 404, "C:schedule-outbox-URL": 404}
    assert told.only.hrefs("C:calendar-user-address-set") == [
        "mailto:liaison@example.org",
        f"urn:uuid:{phone.user.uid}",
        phone.principal,
    ]
    assert calendar.refused == {"C:schedule-calendar-transp": 404, "C:schedule-tag": 404}


def test_property_of_a_foreign_namespace_keeps_its_name(phone: Phone) -> None:
    body = propfind('<D:prop><x:é-1 xmlns:x="urn:a&amp;b"/></D:prop>')
    entry = phone.ask("PROPFIND", "jjj/", body, Depth="0").only

    assert entry.refused == {"{urn:a&b}é-1": 404}


@pytest.mark.parametrize(
    ("depth", "status", "condition"),
    [
        ("infinity", 403, ["D:propfind-finite-depth"]),
        (None, 403, ["D:propfind-finite-depth"]),
        ("2", 400, []),
        ("-1", 400, []),
        ("", 400, []),
        ("1,noroot", 400, []),
    ],
)
@pytest.mark.parametrize("path", ["/dav/", "", "jjj/"])
def test_depth_that_is_not_offered_is_refused(
    depth: str | None, status: int, condition: list[str], path: str, phone: Phone
) -> None:
    headers = {} if depth is None else {"Depth": depth}
    answer = phone.ask("PROPFIND", path, "", **headers)

    assert (answer.status, answer.condition) == (status, condition)


@pytest.mark.parametrize(
    "body",
    [
        f"<D:propfind {DECLARED}/>",
        f"<D:propertyupdate {DECLARED}/>",
        "<propfind><prop/></propfind>",
        propfind(f"<D:prop>{''.join(f'<D:x{n}/>' for n in range(500))}</D:prop>"),
        propfind(f"<D:prop>{''.join(f'<D:{LONG}{n}/>' for n in range(20))}</D:prop>"),
    ],
)
def test_propfind_that_asks_for_nothing_known_is_refused(body: str, phone: Phone) -> None:
    assert phone.ask("PROPFIND", "jjj/", body, Depth="0").status == 400


def test_ctag_and_token_stand_still_until_something_changes(phone: Phone, cast: Cast) -> None:
    def seen() -> tuple[str, str]:
        entry = phone.propfind("jjj/", "CS:getctag", "D:sync-token").only
        return entry.text("CS:getctag"), entry.text("D:sync-token")

    event = make_event(cast.alliance, scheduled=True)
    first, again = seen(), seen()
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    changed = seen()

    assert first == again
    assert first[0] != changed[0]
    assert first[1] != changed[1]


def test_tag_is_the_same_in_every_answer(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"jjj/{event.dav_name}"
    tags = {
        phone.propfind(path, "D:getetag").only.text("D:getetag"),
        list(phone.propfind("jjj/", "D:getetag", depth="1").entries.values())[1].text("D:getetag"),
        phone.ask("GET", path).response["ETag"],
        phone.ask("HEAD", path).response["ETag"],
        phone.multiget("jjj/", phone.home + path).only.text("D:getetag"),
        phone.sync("jjj/").only.text("D:getetag"),
    }

    assert len(tags) == 1
    assert not tags.pop().startswith("W/")


def test_tags_differ_by_language_and_by_what_a_viewer_may_know(
    open_phone: OpenPhone, cast: Cast
) -> None:
    event = make_event(
        cast.alliance, scheduled=True, notes="机密", online_url="https://m.example/1"
    )
    tags = {
        open_phone(username).ask("GET", f"jjj/{event.dav_name}", **headers).response["ETag"]
        for username in ("secretary", "liaison", "host", "stranger")
        for headers in ({}, {"Accept-Language": "en"})
    }

    assert len(tags) == 6


def queries_of(phone: Phone, path: str, depth: str, *names: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as context:
        assert phone.propfind(path, *names, depth=depth).status == 207
    return len(context)


@pytest.mark.parametrize(
    ("path", "depth", "names"),
    [
        ("", "0", ("D:displayname",)),
        ("", "1", ("D:displayname", "CS:getctag", "D:sync-token", "A:calendar-color")),
        ("jjj/", "0", ("CS:getctag", "D:sync-token")),
        ("jjj/", "1", ("D:getetag",)),
        ("jjj/", "1", ("D:getetag", "D:getcontentlength")),
        ("mine/", "1", ("D:getetag", "D:getcontentlength")),
    ],
)
def test_propfind_costs_the_same_queries_however_much_there_is(
    path: str, depth: str, names: tuple[str, ...], phone: Phone, cast: Cast
) -> None:
    make_event(cast.alliance, scheduled=True, named=[cast.member])
    phone.propfind(path, *names, depth=depth)  # notes the hour of the app password's use
    few = queries_of(phone, path, depth, *names)
    for number in range(10):
        make_alliance(f"more-{number}")
        make_event(cast.alliance, scheduled=True, named=[cast.member])

    assert queries_of(phone, path, depth, *names) == few
