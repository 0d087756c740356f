"""free-busy-query: when people are busy, and never of what they may not see."""

import pytest

from coordination.accounts.viewer import SYSTEM
from events.scheduling import cancel_event, confirm_event, postpone_event
from tests.coordination.calendars.caldav.conftest import DECLARED, Answer, OpenPhone, Phone
from tests.factories import AT, Cast, make_event, span

WHOLE = {"viewer": SYSTEM, "at": AT}


def ask(phone: Phone, times: str, path: str = "jjj/") -> Answer:
    body = f"<C:free-busy-query {DECLARED}>{times}</C:free-busy-query>"
    return phone.ask("REPORT", path, body, Depth="1")


MAY = '<C:time-range start="20280501T000000Z" end="20280601T000000Z"/>'


def busy(answer: Answer) -> list[str]:
    assert answer.status == 200
    text = answer.text.replace("\r\n ", "")
    return [line for line in text.split("\r\n") if line.startswith("FREEBUSY")]


def test_busy_times_are_joined_by_kind_and_cut_to_the_range(phone: Phone, cast: Cast) -> None:
    def event(starts: str, ends: str, **values: object) -> object:
        return make_event(cast.alliance, span=span(starts, ends), **values)

    confirm_event(event("2028-05-16T09:00", "2028-05-16T10:00"), **WHOLE)
    confirm_event(event("2028-05-16T09:30", "2028-05-16T11:00"), **WHOLE)
    confirm_event(event("2028-05-16T11:00", "2028-05-16T12:00"), **WHOLE)
    event("2028-04-30T09:00", "2028-05-02T09:00")
    cancel_event(event("2028-05-20T09:00", "2028-05-20T10:00"), reason="雨", **WHOLE)
    postpone_event(event("2028-05-21T09:00", "2028-05-21T10:00"), span=None, reason="雨", **WHOLE)
    event("2028-06-20T09:00", "2028-06-20T10:00")
    answer = ask(phone, MAY)

    assert answer.response["Content-Type"] == "text/calendar; charset=utf-8"
    assert busy(answer) == [
        "FREEBUSY;FBTYPE=BUSY:20280516T010000Z/20280516T040000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20280501T000000Z/20280502T010000Z",
    ]
    assert "UID:" in answer.text
    assert "SUMMARY" not in answer.text


def test_busy_times_leave_no_trace_of_what_is_not_open(open_phone: OpenPhone, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True, audience="secretariat")

    assert len(busy(ask(open_phone("secretary"), MAY))) == 1
    assert busy(ask(open_phone("liaison"), MAY)) == []
    assert busy(ask(open_phone("stranger"), MAY)) == []


def test_busy_times_of_all_time_are_said_in_years_of_four_digits(phone: Phone) -> None:
    answer = ask(phone, '<C:time-range start="00010101T000000Z" end="99991231T235959Z"/>')

    lines = answer.text.split("\r\n")
    starts, ends = (line for line in lines if line.startswith(("DTSTART", "DTEND")))
    assert (starts, ends) == ("DTSTART:00010104T000000Z", "DTEND:99991228T000000Z")


@pytest.mark.parametrize(
    "times",
    ["", '<C:time-range start="20280501T000000Z"/>', '<C:time-range start="x" end="y"/>'],
)
def test_busy_times_of_no_range_are_refused(times: str, phone: Phone) -> None:
    answer = ask(phone, times)

    assert (answer.status, answer.condition) == (403, ["C:valid-filter"])
