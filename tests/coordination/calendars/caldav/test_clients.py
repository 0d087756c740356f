"""The requests of real programs, in their order, as their documentation and traces show them."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from django.test import Client

from coordination.accounts.viewer import SYSTEM
from events.scheduling import revise_event
from tests.coordination.calendars.caldav.conftest import DECLARED, OpenPhone, Phone
from tests.factories import AT, Cast, make_event

ALARM = "BEGIN:VALARM\nTRIGGER:-PT15M\nACTION:DISPLAY\nEND:VALARM"


def prop(*names: str) -> str:
    inner = "".join(f"<{name}/>" for name in names)
    return f"<D:propfind {DECLARED}><D:prop>{inner}</D:prop></D:propfind>"


def patch(name: str, value: str) -> str:
    return (
        f"<D:propertyupdate {DECLARED}><D:set><D:prop><{name}>{value}</{name}></D:prop></D:set>"
        "</D:propertyupdate>"
    )


def report(name: str, inner: str) -> str:
    return f"<{name} {DECLARED}>{inner}</{name}>"


APPLE_HOME = (
    "A:calendar-color", "A:calendar-order", "C:calendar-description", "C:calendar-timezone",
    "C:default-alarm-vevent-date", "C:default-alarm-vevent-datetime", "C:supported-calendar-data",
    "C:supported-calendar-component-set", "C:schedule-calendar-transp", "CS:allowed-sharing-modes",
    "CS:getctag", "CS:pushkey", "CS:publish-url", "CS:source", "CS:subscribed-strip-alarms",
    "D:add-member", "D:current-user-privilege-set", "D:displayname", "D:owner",
    "D:quota-used-bytes",
    "D:resource-id", "D:resourcetype", "D:supported-report-set", "D:sync-token", "A:refreshrate",
    "C:max-attendees-per-instance", "C:default-alarm-vtodo-date", "A:language-code",
)  # fmt: skip
APPLE_PRINCIPAL = (
    "C:calendar-home-set", "C:calendar-user-address-set", "C:schedule-inbox-URL",
    "C:schedule-outbox-URL", "CS:dropbox-home-URL", "CS:email-address-set",
    "CS:notification-URL", "D:displayname", "D:principal-URL", "D:principal-collection-set",
    "D:resource-id", "D:supported-report-set",
)  # fmt: skip
WINDOW = (
    '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
    '<C:time-range start="20280101T000000Z"/></C:comp-filter></C:comp-filter></C:filter>'
)


@dataclass(frozen=True)
class Step:
    """One request: method, address ("{principal}", "{home}" stand for what was found), body."""

    method: str
    path: str
    body: str = ""
    depth: str = "0"
    status: int = 207
    holds: tuple[str, ...] = ()


APPLE = [
    Step("PROPFIND", "/.well-known/caldav", prop("D:current-user-principal"), status=301),
    Step("PROPFIND", "/dav/", prop("D:current-user-principal", "D:principal-URL", "D:resourcetype"),
         holds=("{principal}",)),
    Step("OPTIONS", "{principal}", status=200),
    Step("PROPFIND", "{principal}", prop(*APPLE_PRINCIPAL), holds=("{home}", "mailto:")),
    Step("REPORT", "/dav/principals/", report("D:principal-search-property-set", ""), status=200,
         holds=("<D:displayname/>", "<CS:email-address-set/>")),
    Step("REPORT", "{principal}", report("D:expand-property",
         '<D:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">'
         '<D:property name="displayname"/></D:property>')),
    Step("PROPFIND", "{home}", prop(*APPLE_HOME), depth="1", holds=("jjj/", "mine/")),
    Step("PROPPATCH", "{home}", patch("C:default-alarm-vevent-date", ALARM),
         holds=("200 OK",)),
    Step("PROPPATCH", "{home}", patch("C:default-alarm-vevent-datetime", ALARM),
         holds=("200 OK",)),
    Step("PROPPATCH", "{home}jjj/", patch("A:calendar-order", "2"), holds=("200 OK",)),
    Step("PROPPATCH", "{home}jjj/", patch("A:calendar-color", "#FF2968FF"), holds=("200 OK",)),
    Step("MKCALENDAR", "{home}4F2A9E3C/", status=403),
    Step("PROPFIND", "{home}jjj/", prop("CS:getctag", "D:sync-token")),
    Step("PROPFIND", "{home}jjj/", prop("D:getcontenttype", "D:getetag"), depth="1",
         holds=("{event}",)),
    Step("REPORT", "{home}jjj/", report("D:sync-collection", "<D:sync-token/>"
         "<D:sync-level>1</D:sync-level><D:prop><D:getcontenttype/><D:getetag/></D:prop>"),
         depth="1", holds=("{event}",)),
    Step("REPORT", "{home}jjj/", report("C:calendar-multiget",
         "<D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>{event}</D:href>"), depth="1",
         holds=("BEGIN:VEVENT",)),
]  # fmt: skip

THUNDERBIRD = [
    Step("PROPFIND", "/.well-known/caldav", prop("D:resourcetype"), status=301),
    Step("PROPFIND", "/dav/", prop("D:resourcetype", "D:owner", "D:displayname",
         "D:current-user-principal", "D:current-user-privilege-set", "A:calendar-color",
         "C:calendar-home-set"), holds=("{principal}", "{home}")),
    Step("PROPFIND", "{principal}", prop("D:resourcetype", "C:calendar-home-set"),
         holds=("{home}",)),
    Step("PROPFIND", "{home}", prop("D:resourcetype", "D:displayname", "A:calendar-color",
         "D:current-user-privilege-set"), depth="1", holds=("jjj/",)),
    Step("OPTIONS", "{home}jjj/", status=200),
    Step("PROPFIND", "{home}jjj/", prop("D:resourcetype", "D:owner", "D:current-user-principal",
         "D:current-user-privilege-set", "D:supported-report-set",
         "C:supported-calendar-component-set", "CS:getctag"), holds=("sync-collection",)),
    Step("REPORT", "{home}jjj/", report("D:sync-collection", "<D:sync-token/>"
         "<D:sync-level>1</D:sync-level><D:prop><D:getcontenttype/><D:getetag/></D:prop>"),
         depth="1", holds=("{event}",)),
    Step("REPORT", "{home}jjj/", report("C:calendar-multiget",
         "<D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>{event}</D:href>"), depth="1",
         holds=("BEGIN:VEVENT",)),
]  # fmt: skip

DAVX5 = [
    Step("PROPFIND", "/.well-known/caldav", prop("D:current-user-principal"), status=301),
    Step("PROPFIND", "/dav/", prop("D:current-user-principal"), holds=("{principal}",)),
    Step("OPTIONS", "{principal}", status=200),
    Step("PROPFIND", "{principal}", prop("D:displayname", "D:resourcetype", "C:calendar-home-set",
         "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for", "D:group-membership"),
         holds=("{home}",)),
    Step("PROPFIND", "{home}", prop("D:resourcetype", "D:displayname", "D:owner",
         "D:current-user-privilege-set", "C:calendar-description", "C:calendar-timezone",
         "C:calendar-timezone-id", "C:supported-calendar-component-set", "A:calendar-color",
         "CS:source"), depth="1", holds=("jjj/", "VTODO")),
    Step("PROPFIND", "{home}jjj/", prop("C:max-resource-size", "D:supported-report-set",
         "CS:getctag", "D:sync-token"), holds=("sync-collection",)),
    Step("REPORT", "{home}jjj/", report("C:calendar-query",
         f"<D:prop><D:getetag/></D:prop>{WINDOW}"), depth="1", holds=("{event}",)),
    Step("REPORT", "{home}jjj/", report("C:calendar-multiget",
         '<D:prop><D:getcontenttype/><D:getetag/><C:calendar-data content-type="text/calendar" '
         'version="2.0"/></D:prop><D:href>{event}</D:href>'), depth="1", holds=("BEGIN:VEVENT",)),
]  # fmt: skip


@pytest.mark.parametrize("steps", [APPLE, THUNDERBIRD, DAVX5], ids=["apple", "mozilla", "davx5"])
@pytest.mark.parametrize("username", ["liaison", "secretary"])
def test_program_finds_its_way_and_reads(
    steps: list[Step], username: str, open_phone: OpenPhone, cast: Cast
) -> None:
    phone = open_phone(username)
    event = make_event(cast.alliance, scheduled=True)
    known = {
        "{principal}": phone.principal,
        "{home}": phone.home,
        "{event}": f"{phone.home}jjj/{event.dav_name}",
    }

    def filled(text: str) -> str:
        for mark, value in known.items():
            text = text.replace(mark, value)
        return text

    for step in steps:
        answer = phone.ask(step.method, filled(step.path), filled(step.body), Depth=step.depth)
        assert answer.status == step.status, (step, answer.text)
        missing = [one for one in step.holds if filled(one) not in answer.text]
        assert (step, missing) == (step, [])
        if step.status == 301:
            assert urlsplit(answer.response["Location"]).path == "/dav/"


@pytest.mark.parametrize("program", ["DAVx5/4.4", "Mac OS X/14 CalendarAgent", "Thunderbird/128"])
def test_program_is_asked_to_sign_in_and_then_let_in(program: str, phone: Phone) -> None:
    anonymous = Client().generic("PROPFIND", "/dav/", headers={"User-Agent": program})

    assert anonymous.status_code == 401
    assert re.match('Basic realm="[^"]+"', anonymous["WWW-Authenticate"])
    assert phone.propfind("/dav/", "D:owner", User_Agent=program).status == 207


def test_program_that_polls_by_ctag_sees_each_change_once(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    ctags = [phone.value("jjj/", "CS:getctag") for _number in range(2)]
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    ctags += [phone.value("jjj/", "CS:getctag") for _number in range(2)]

    assert ctags[0] == ctags[1] != ctags[2] == ctags[3]


def test_program_that_reads_a_calendar_it_may_not_write_says_so_and_uploads_in_vain(
    phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"jjj/{event.dav_name}"
    got = phone.ask("GET", path)
    etag = got.response["ETag"]
    answer = phone.ask("PUT", path, got.text.replace("对接", "改动"), If_Match=etag)

    assert (answer.status, answer.condition) == (403, ["D:need-privileges"])
    assert phone.ask("GET", path).response["ETag"] == etag
