"""Components and properties from iCalendar text."""

from __future__ import annotations

import pytest

from events.content_lines import MAX_LINES, Component, MalformedText, read_components


def only(text: str) -> Component:
    (component,) = read_components(text.encode())
    return component


def test_components_hold_their_properties_and_parts() -> None:
    calendar = only(
        "begin:vcalendar\r\nBEGIN:VEVENT\r\nsummary:a\r\nCOMMENT:1\r\nCOMMENT:2\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    (event,) = calendar.named("VEVENT")

    assert (calendar.name, [part.name for part in event.parts]) == ("VCALENDAR", ["VALARM"])
    assert (event.text("SUMMARY"), event.text("LOCATION")) == ("a", None)
    assert [found.text for found in event.all("COMMENT")] == ["1", "2"]
    assert (event.has("SUMMARY"), event.has("ACTION")) == (True, False)


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r"])
def test_folds_and_line_ends_of_every_program_are_undone(ending: str) -> None:
    lines = ("\ufeffBEGIN:A", "", "SUMMARY:座谈", " 会\\n", "\t第二行\\, 完\\\\", "END:A", "")

    assert only(ending.join(lines)).text("SUMMARY") == "座谈会\n第二行, 完\\"


def test_parameters_are_read_with_quotes_and_carets() -> None:
    component = only('BEGIN:A\nX;TZID="a:b;c,d";cn=the ^\'best^\' ^^;M="1","2";E=:v;"w":x\nEND:A\n')
    found = component.first("X")

    assert found is not None
    assert dict(found.parameters) == {
        "TZID": "a:b;c,d",
        "CN": 'the "best" ^',
        "M": "1",
        "E": "",
    }
    assert found.raw == 'v;"w":x'


def test_strange_line_that_nobody_asks_for_does_no_harm() -> None:
    component = only('BEGIN:A\nX-STRANGE;A="unclosed:1\nSUMMARY:a\nEND:A\n')

    assert component.text("SUMMARY") == "a"
    with pytest.raises(MalformedText):
        component.first("X-STRANGE")


@pytest.mark.parametrize(
    "text",
    [
        "SUMMARY:a\n",
        "BEGIN:A\n",
        "END:A\n",
        "BEGIN:A\nEND:B\n",
        "BEGIN:A\nno colon\nEND:A\n",
        "BEGIN:A\n:no name\nEND:A\n",
        "BEGIN:A\n活动:a\nEND:A\n",
        "BEGIN:A\n" * 5 + "END:A\n" * 5,
        "BEGIN:A\n" + "X:1\n" * MAX_LINES + "END:A\n",
    ],
)
def test_text_that_is_no_stream_of_components_is_malformed(text: str) -> None:
    with pytest.raises(MalformedText):
        read_components(text.encode())


def test_nothing_is_no_component() -> None:
    assert read_components(b"") == []
