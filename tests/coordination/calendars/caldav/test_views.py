"""The door: methods, what is offered where, and what is refused with a sentence."""

import gzip

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.changes.models import Change
from events.models import Event
from tests.coordination.calendars.caldav.conftest import OpenPhone, Phone
from tests.factories import Cast, make_event

CLASSES = "1, 3, access-control, calendar-access"
READING = "OPTIONS, GET, HEAD, PROPFIND, REPORT"
PATCHING = f"{READING}, PROPPATCH"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PROPFIND", "OPTIONS", "REPORT"])
@pytest.mark.parametrize(
    "path", ["/.well-known/caldav", "/.well-known/caldav/", "/principals", "/principals/"]
)
def test_well_known_leads_to_the_root_by_any_method(method: str, path: str) -> None:
    answer = Client().generic(method, path)

    assert (answer.status_code, answer["Location"]) == (301, "/dav/")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/dav/", READING),
        ("/dav/principals/", READING),
        ("/dav/calendars/", READING),
        ("", PATCHING),
        ("jjj/", PATCHING),
        ("mine/", PATCHING),
        ("jjj/nothing.ics", READING),
    ],
)
def test_options_say_what_is_offered(path: str, allowed: str, open_phone: OpenPhone) -> None:
    answer = open_phone("observer").ask("OPTIONS", path)

    assert (answer.status, answer.response["DAV"], answer.response["Allow"]) == (
        200,
        CLASSES,
        allowed,
    )


def test_options_are_told_before_signing_in(db: None) -> None:
    for path in ("/dav/", "/dav", "/dav/calendars/x/jjj/"):
        answer = Client().options(path)
        assert (answer.status_code, answer["DAV"], answer["Allow"]) == (200, CLASSES, READING)


def test_options_of_a_calendar_that_may_be_written_say_so(staff_phone: Phone) -> None:
    assert staff_phone.ask("OPTIONS", "jjj/").response["Allow"] == f"{PATCHING}, PUT, DELETE"
    assert staff_phone.ask("OPTIONS", "dongbei/").response["Allow"] == PATCHING
    assert staff_phone.ask("OPTIONS", "jjj/x.ics").response["Allow"] == f"{READING}, PUT, DELETE"


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH", "PUT"])
def test_compressed_body_is_415_whatever_the_method(staff_phone: Phone, method: str) -> None:
    staff_phone.user.language = "en"
    staff_phone.user.save()
    path = "jjj/new.ics" if method == "PUT" else "jjj/"
    kind = {"Content_Type": "text/calendar"} if method == "PUT" else {}
    answer = staff_phone.ask(method, path, gzip.compress(b"<x/>"), Content_Encoding="gzip", **kind)

    assert (answer.status, answer.condition) == (415, [])
    assert answer.response["Accept-Encoding"] == "identity"
    assert answer.root.findtext("{DAV:}responsedescription") == (
        "Send the body as it is, not compressed."
    )
    assert not Event.objects.exists()


def test_body_said_to_be_in_no_coding_is_read(phone: Phone) -> None:
    answer = phone.propfind("jjj/", "D:displayname", Content_Encoding="identity")

    assert answer.status == 207


def test_addresses_without_their_last_slash_are_the_same(phone: Phone) -> None:
    for path in ("/dav", "/dav/principals", phone.principal, phone.home, f"{phone.home}jjj"):
        with_, without = (
            phone.propfind(address, "D:resourcetype", "D:displayname")
            for address in (f"{path.rstrip('/')}/", path.rstrip("/"))
        )
        assert with_.response.content == without.response.content


@pytest.mark.parametrize(
    ("method", "path", "condition"),
    [
        ("MKCALENDAR", "new/", "C:calendar-collection-location-ok"),
        ("MKCOL", "new/", "D:valid-resourcetype"),
        ("COPY", "jjj/x.ics", "C:no-uid-conflict"),
        ("MOVE", "jjj/x.ics", "C:calendar-collection-location-ok"),
        ("ACL", "jjj/", "D:no-ace-conflict"),
        ("DELETE", "jjj/", "D:need-privileges"),
        ("DELETE", "", "D:need-privileges"),
    ],
)
def test_method_that_changes_the_house_is_refused_with_a_sentence(
    method: str, path: str, condition: str, staff_phone: Phone
) -> None:
    before = Change.objects.count()
    answer = staff_phone.ask(method, path, Destination="/dav/")

    assert (answer.status, answer.condition) == (403, [condition])
    assert answer.root.findtext("{DAV:}responsedescription")
    assert Change.objects.count() == before


@pytest.mark.parametrize("method", ["LOCK", "UNLOCK", "POST", "PATCH", "SEARCH", "BREW"])
def test_method_that_is_not_offered_is_refused_with_those_that_are(
    method: str, phone: Phone
) -> None:
    answer = phone.ask(method, "jjj/")

    assert (answer.status, answer.response["Allow"]) == (405, PATCHING)


@pytest.mark.parametrize("path", ["jjj/", ""])
def test_put_to_what_is_no_object_is_refused(path: str, staff_phone: Phone) -> None:
    assert staff_phone.ask("PUT", path, "x").status == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_writing_where_one_may_only_read_is_refused_unread(
    method: str, phone: Phone, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    before = Change.objects.count()
    for name in (event.dav_name, "new.ics"):
        answer = phone.ask(method, f"jjj/{name}", "BEGIN:VCALENDAR")
        assert (answer.status, answer.condition) == (403, ["D:need-privileges"])
    assert Change.objects.count() == before


@pytest.mark.parametrize(
    "path",
    [
        "/dav/nothing/",
        "/dav/principals/nobody/",
        "/dav/calendars/nobody/",
        "nothing/",
        "jjj/a/b",
        "jjj/%00",
        "%00/",
        "jjj/../../x/y/z",
        "x" * 2000,
        "jjj/" + "x" * 2000,
    ],
)
@pytest.mark.parametrize("method", ["PROPFIND", "GET", "REPORT", "PROPPATCH", "DELETE", "OPTIONS"])
def test_nothing_is_found_where_nothing_is(method: str, path: str, phone: Phone) -> None:
    assert phone.ask(method, path, Depth="0").status == 404


def test_what_is_another_person_s_is_not_there(open_phone: OpenPhone) -> None:
    phone, other = open_phone("liaison"), open_phone("secretary")
    for path in (other.principal, other.home, f"{other.home}jjj/", f"{other.home}jjj/x.ics"):
        for method in ("PROPFIND", "GET", "REPORT", "PUT", "DELETE", "OPTIONS", "PROPPATCH"):
            assert phone.ask(method, path, Depth="0").status == 404


def test_refusals_speak_the_person_s_language(phone: Phone) -> None:
    def said(**headers: str) -> str:
        return (
            phone.ask("GET", "jjj/nothing.ics", **headers).root.findtext(
                "{DAV:}responsedescription"
            )
            or ""
        )

    chinese, english = said(), said(Accept_Language="en")
    User.objects.filter(pk=phone.user.pk).update(language="en")

    assert chinese != english
    assert said(Accept_Language="zh") == english


def test_person_s_own_language_goes_before_the_program_s(phone: Phone, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True)
    User.objects.filter(pk=phone.user.pk).update(language="en")

    assert phone.value("jjj/", "D:displayname") == "Alliance jjj"
    assert "SUMMARY:Matchmaking" in phone.ask("GET", "jjj/", Accept_Language="zh").text


def test_answers_are_one_person_s_and_never_kept_for_others(phone: Phone) -> None:
    for method, path in (("PROPFIND", "jjj/"), ("GET", "jjj/"), ("GET", "jjj/nothing.ics")):
        answer = phone.ask(method, path, Depth="0")
        assert answer.response["Cache-Control"] in ("private, no-cache", "no-store")
        assert answer.response["DAV"] == CLASSES
