"""What the last look keeps between messages, and that nothing kept outlives a change."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from alliances.models import Person, PersonDetails, Seat
from alliances.seating import end_seat
from coordination.deliveries.models import Delivery
from coordination.deliveries.recipients import Reader, readers_of
from events.audiences import recipients_of_rule
from events.models import Event, Reminder, ReminderRule
from events.remembering import FEW, Audience, Memory
from events.reminding import add_reminder_rule, remove_reminder_rule, revise_reminder_rule
from events.scheduling import cancel_event, schedule_event
from events.telling import Reminders
from tests.factories import (
    AFTERNOON,
    AT,
    SYSTEM,
    make_alliance,
    make_event,
    make_member,
    make_organization,
    make_person,
    stored,
)

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 8


@pytest.fixture
def event() -> Event:
    """An event with one rule for members, of whom so many are told."""
    alliance, member = make_alliance(), make_organization()
    make_member(alliance, member)
    for number in range(PEOPLE):
        make_person(f"p{number}", role="liaison", organization=member)
    add_reminder_rule(alliance, viewer=SYSTEM, at=AT, offset="-P1D", audience=["members"])
    return make_event(alliance, scheduled=True)


@pytest.fixture
def due(event: Event) -> datetime:
    assert event.starts_at is not None
    return event.starts_at - timedelta(days=1)


@pytest.fixture
def lines(due: datetime) -> Iterator[list[tuple[Delivery, Reader]]]:
    Reminders().fire_next(due)
    rows = list(Delivery.objects.order_by("pk"))
    readers = readers_of((row.recipient for row in rows), "email")
    assert len(rows) == PEOPLE
    return [(row, readers[row.recipient]) for row in rows]  # type: ignore[return-value]


def looks(lines: list[tuple[Delivery, Reader]], at: datetime) -> list[str]:
    return [Reminders().still_wanted(row, reader, at) for row, reader in lines]


def test_recall_while_the_log_stands_still_asks_once(event: Event) -> None:
    memory, asked = Memory(Reminder), []
    for _time in range(3):
        memory.recall(memory.stand(1), "key", lambda: asked.append(1))

    assert asked == [1]


def test_recall_after_any_change_asks_again(event: Event) -> None:
    memory, asked = Memory(Reminder), []
    for name in ("one", "two"):
        memory.recall(memory.stand(1), "key", lambda: asked.append(1))
        make_organization(name)
    memory.recall(memory.stand(1), "key", lambda: asked.append(1))

    assert asked == [1, 1, 1]


def test_recall_inside_a_transaction_keeps_nothing_and_uses_nothing(event: Event) -> None:
    memory = Memory(Reminder)
    memory.recall(memory.stand(1), "key", lambda: "before")
    with transaction.atomic():
        inside = memory.recall(memory.stand(1), "key", lambda: "inside")

    assert inside == "inside"
    assert memory.recall(memory.stand(1), "key", lambda: "after") == "before"


def test_stand_names_the_generation_as_it_is_now(event: Event) -> None:
    memory, row = Memory(Reminder), Reminder.objects.get()
    assert memory.stand(row.pk).generation == 1
    Reminder.objects.update(generation=4)

    assert memory.stand(row.pk).generation == 4
    assert memory.stand(row.pk + 1).generation is None


def test_audience_of_many_is_read_as_a_whole(event: Event, due: datetime) -> None:
    rule = ReminderRule.objects.get()
    audience = Audience(recipients_of_rule(event, rule, on=due.date()))
    keys = [f"person:{person.uid}" for person in Person.objects.all()]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = [audience.holds(key) for key in [*keys, "person:nobody"]]

    assert found == [True] * PEOPLE + [False]
    assert len(queries) == FEW


def test_look_and_letter_for_many_cost_one_small_query_each(
    lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    source = Reminders()
    first, rest = lines[:FEW], lines[FEW:]
    for row, reader in first:
        source.still_wanted(row, reader, due)
        source.render([row], reader, due)

    with CaptureQueriesContext(connection) as queries:
        for row, reader in rest:
            source.still_wanted(row, reader, due)
            source.render([row], reader, due)

    assert len(queries) == 2 * len(rest)


def test_look_after_the_event_was_cancelled_finds_it_off(
    event: Event, lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    assert looks(lines, due) == [""] * PEOPLE
    cancel_event(stored(event), reason="场馆", viewer=SYSTEM, at=AT)

    assert looks(lines, due) == ["event_cancelled"] * PEOPLE


def test_look_after_the_event_moved_finds_the_old_generation(
    event: Event, lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    assert looks(lines, due) == [""] * PEOPLE
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=due, reason="场馆")

    assert looks(lines, due) == ["event_moved"] * PEOPLE


def test_look_after_a_seat_ended_leaves_out_that_reader_alone(
    lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    assert looks(lines, due) == [""] * PEOPLE
    (row, _reader) = lines[2]
    seat = Seat.objects.get(person__uid=row.recipient.partition(":")[2])
    end_seat(seat, on=AT.date(), viewer=SYSTEM, at=AT)

    expected = ["no_longer_concerned" if line is row else "" for line, _reader in lines]
    assert looks(lines, due) == expected


def test_look_after_the_rule_was_removed_finds_none(
    lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    assert looks(lines, due) == [""] * PEOPLE
    remove_reminder_rule(ReminderRule.objects.get(), viewer=SYSTEM, at=AT)

    assert looks(lines, due) == ["rule_removed"] * PEOPLE


def test_letters_to_many_differ_by_their_names_alone(
    lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    PersonDetails.objects.update(name_zh="<b>李&王</b>", name_en="<b>Li</b>")
    keys = [row.recipient for row, _reader in lines]
    readers = readers_of(keys, "email")
    letters = [Reminders().render([row], readers[row.recipient], due) for row, _reader in lines]
    with transaction.atomic():  # where nothing is kept, each is written by itself
        alone = [Reminders().render([row], readers[row.recipient], due) for row, _old in lines]

    assert letters == alone
    name = readers[keys[0]].name
    assert f"{name}" in letters[0].text
    assert (escape(name) in letters[0].html, name in letters[0].html) == (True, False)


def test_letter_in_words_that_name_the_reader_is_each_ones_own(
    lines: list[tuple[Delivery, Reader]], due: datetime
) -> None:
    rule = ReminderRule.objects.get()
    words = {"text_zh": "{name}请到会", "text_en": "{name}, please come"}
    revise_reminder_rule(rule, viewer=SYSTEM, at=AT, **words)

    for row, reader in lines:
        (item,) = Reminders().render([row], reader, due).items
        assert reader.name in item.text
