"""Filters of calendar-query: what they find, and what is refused rather than overlooked."""

import pytest

from coordination.accounts.viewer import SYSTEM
from events.owing import fulfil_duty, set_duty
from events.scheduling import cancel_event
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import EVENT_FILTER, TASK_FILTER, Phone
from tests.factories import AT, Cast, make_event, span

MATCH = '<C:prop-filter name="{}"><C:text-match{}>{}</C:text-match></C:prop-filter>'


def match(name: str, text: str, **options: str) -> str:
    told = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in options.items())
    return MATCH.format(name, told, text)


@pytest.fixture
def names(cast: Cast) -> dict[str, str]:
    """Three events, by what the tests call them."""
    zone = span("2028-05-16T09:30", "2028-05-16T12:00", "Europe/Zurich")
    events = {
        "plain": make_event(cast.alliance, scheduled=True, title_zh="Café ÉTÉ 对接会"),
        "zurich": make_event(cast.alliance, span=zone, title_zh="苏黎世, 圆桌", place_zh="苏黎世"),
        "cancelled": make_event(cast.alliance, scheduled=True, title_zh="开幕式"),
    }
    cancel_event(events["cancelled"], reason="雨", viewer=SYSTEM, at=AT)
    return {event.dav_name: name for name, event in events.items()}


ZONED = (
    '<C:prop-filter name="DTSTART"><C:param-filter name="TZID">{}</C:param-filter></C:prop-filter>'
)
DAY = '<C:prop-filter name="LAST-MODIFIED"><C:time-range start="{}" end="{}"/></C:prop-filter>'


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("", {"plain", "zurich", "cancelled"}),
        (match("SUMMARY", "对接"), {"plain"}),
        (match("SUMMARY", "苏黎世, 圆桌"), {"zurich"}),
        (match("summary", "CAF"), {"plain"}),
        (match("SUMMARY", "café"), {"plain"}),
        (match("SUMMARY", "CAFÉ"), set()),  # ASCII only by default: É is not é
        (match("SUMMARY", "CAFÉ", collation="i;unicode-casemap"), {"plain"}),
        (match("SUMMARY", "été", collation="i;unicode-casemap"), {"plain"}),
        (match("SUMMARY", "café", collation="i;octet"), set()),
        (match("SUMMARY", "Café", collation="i;octet"), {"plain"}),
        (match("SUMMARY", "café", collation="default"), {"plain"}),
        (match("SUMMARY", "对接", negate_condition="yes"), {"zurich", "cancelled"}),
        (match("STATUS", "CANCELLED"), {"cancelled"}),
        (match("STATUS", "CANCELLED", negate_condition="yes"), {"plain", "zurich"}),
        (match("LOCATION", "苏黎世"), {"zurich"}),
        (match("NOTHING", "x"), set()),
        (match("NOTHING", "x", negate_condition="yes"), set()),
        ('<C:prop-filter name="LOCATION"/>', {"zurich"}),
        (
            '<C:prop-filter name="LOCATION"><C:is-not-defined/></C:prop-filter>',
            {"plain", "cancelled"},
        ),
        ('<C:prop-filter name="SUMMARY"><C:is-not-defined/></C:prop-filter>', set()),
        (match("SUMMARY", "式") + match("STATUS", "CANCELLED"), {"cancelled"}),
        (match("SUMMARY", "对接") + match("STATUS", "CANCELLED"), set()),
        (ZONED.format("<C:text-match>Europe</C:text-match>"), {"zurich"}),
        (
            ZONED.format('<C:text-match negate-condition="yes">Europe</C:text-match>'),
            {"plain", "cancelled"},
        ),
        (ZONED.format("<C:is-not-defined/>"), set()),
        (
            ZONED.replace("TZID", "VALUE").format("<C:is-not-defined/>"),
            {"plain", "zurich", "cancelled"},
        ),
        (DAY.format("20280110T000000Z", "20280111T000000Z"), {"plain", "zurich", "cancelled"}),
        (DAY.format("20280111T000000Z", "20280112T000000Z"), set()),
        ('<C:comp-filter name="VALARM"/>', set()),
        (
            '<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>',
            {"plain", "zurich", "cancelled"},
        ),
        (
            '<C:comp-filter name="VALARM"><C:time-range start="20280101T000000Z"/></C:comp-filter>',
            set(),
        ),
        ('<C:time-range start="20280516T070000Z" end="20280516T080000Z"/>', {"zurich"}),
        ('<C:time-range start="20280516T070000Z"/>', {"zurich"}),
        ('<C:time-range end="20280516T070000Z"/>', {"plain", "cancelled"}),
        (
            '<C:time-range start="20280516T000000Z" end="20280517T000000Z"/>'
            + match("SUMMARY", "圆桌"),
            {"zurich"},
        ),
    ],
)
def test_filter_finds_what_fulfils_it(
    condition: str, found: set[str], phone: Phone, names: dict[str, str]
) -> None:
    answer = phone.query("jjj/", EVENT_FILTER.format(condition))

    assert {names[name] for name in answer.names} == found


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ('<C:comp-filter name="VCALENDAR"/>', 3),
        (match("VERSION", "2.0").join(('<C:comp-filter name="VCALENDAR">', "</C:comp-filter>")), 3),
        (match("VERSION", "9").join(('<C:comp-filter name="VCALENDAR">', "</C:comp-filter>")), 0),
        (EVENT_FILTER.replace("VEVENT", "VTIMEZONE").format(""), 3),
        (EVENT_FILTER.replace("VEVENT", "VJOURNAL").format(""), 0),
        (EVENT_FILTER.replace("VEVENT", "VJOURNAL").format("<C:is-not-defined/>"), 3),
        (EVENT_FILTER.format("<C:is-not-defined/>"), 0),
        (TASK_FILTER.format(""), 0),
        (TASK_FILTER.format("<C:is-not-defined/>"), 3),
    ],
)
def test_filter_of_components_finds_what_has_them(
    condition: str, count: int, phone: Phone, names: dict[str, str]
) -> None:
    assert len(phone.query("jjj/", condition).names) == count


CALENDAR = '<C:comp-filter name="VCALENDAR">{}</C:comp-filter>'
TIMES = [
    'start="20280516"',
    'start="20280516T000000"',
    'start="2028-05-16T00:00:00Z"',
    'start="20281316T000000Z"',
    'start="20280230T000000Z"',
    'start="20280516T256199Z"',
    'start="00000101T000000Z"',
    'start="x" end="y"',
    'start="20280516T000000Z" end="20280516T000000Z"',
    'start="20280517T000000Z" end="20280516T000000Z"',
    "",
]


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ("", "C:valid-filter"),
        (EVENT_FILTER.format("") * 2, "C:valid-filter"),
        ('<C:comp-filter name="VEVENT"/>', "C:valid-filter"),
        ("<C:comp-filter/>", "C:valid-filter"),
        ('<C:prop-filter name="SUMMARY"/>', "C:valid-filter"),
        (CALENDAR.format("<C:is-not-defined/>"), "C:valid-filter"),
        (EVENT_FILTER.format('<C:is-not-defined/><C:prop-filter name="UID"/>'), "C:valid-filter"),
        (EVENT_FILTER.format(match("SUMMARY", "x", negate_condition="maybe")), "C:valid-filter"),
        (EVENT_FILTER.format('<C:prop-filter name="UID"/>' * 200), "C:valid-filter"),
        (EVENT_FILTER.format("<C:limit/>"), "C:supported-filter"),
        (EVENT_FILTER.format('<D:prop-filter name="UID"/>'), "C:supported-filter"),
        (
            EVENT_FILTER.format('<C:prop-filter name="UID"><C:regex/></C:prop-filter>'),
            "C:supported-filter",
        ),
        (EVENT_FILTER.format(match("SUMMARY", "x", collation="i;nope")), "C:supported-collation"),
        (EVENT_FILTER.format(match("SUMMARY", "x", collation="")), "C:supported-collation"),
        (
            EVENT_FILTER.format(match("SUMMARY", "联" * 100_000)),
            "D:number-of-matches-within-limits",
        ),
        *((EVENT_FILTER.format(f"<C:time-range {times}/>"), "C:valid-filter") for times in TIMES),
    ],
)
def test_filter_that_cannot_be_understood_is_refused(
    condition: str, refused: str, phone: Phone
) -> None:
    answer = phone.query("jjj/", condition)

    assert (answer.status, answer.condition) == (403, [refused])


def test_tasks_are_found_by_their_deadline_and_their_state(phone: Phone, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    open_, done = (
        set_duty(event, cast.member, kind=kind, due_at=NOW, viewer=SYSTEM, at=AT)
        for kind in ("send_agenda", "answer")
    )
    fulfil_duty(done, viewer=SYSTEM, at=NOW)
    both = {f"duty-{open_.uid}.ics", f"duty-{done.uid}.ics"}

    def found(condition: str) -> set[str]:
        return set(phone.query("mine/", TASK_FILTER.format(condition)).names)

    assert found("") == both
    assert found(match("STATUS", "COMPLETED")) == {f"duty-{done.uid}.ics"}
    undone = '<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>'
    assert found(undone) == {f"duty-{open_.uid}.ics"}
    # DUE alone: start < DUE and end >= DUE (RFC 4791 section 9.9)
    assert found('<C:time-range start="20280331T152959Z" end="20280331T153000Z"/>') == both
    assert found('<C:time-range start="20280331T153000Z" end="20280331T160000Z"/>') == set()
    assert phone.query("mine/", EVENT_FILTER.format("")).names == []
