"""What was put together once is the same as what is put together each time."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy, override

from coordination.accounts.viewer import PUBLIC, SYSTEM, Viewer
from coordination.changes.models import ChangeScope, Scope
from coordination.prepared import (
    BATCH,
    FEW,
    Blank,
    built,
    columns_of,
    few_blanks,
    insert_rows,
    prepared,
    update_row,
)
from events.models import Event
from tests.factories import Cast, make_event

pytestmark = pytest.mark.django_db


@prepared
def events_of_a_title(viewer: Viewer) -> QuerySet[Any, Any]:
    rows = Event.objects.visible_to(viewer).filter(title_zh=Blank(0, Event, "title_zh"))
    return rows.order_by("pk").values_list("uid", "starts_at")


@prepared
def few_events() -> QuerySet[Any, Any]:
    rows = Event.objects.filter(uid__in=few_blanks(Event, "uid"))
    return rows.order_by("pk").values_list(*columns_of(Event))


@prepared
def no_events() -> QuerySet[Any, Any]:
    return Event.objects.filter(pk__in=[], title_zh=Blank(0, Event, "title_zh")).values_list("pk")


@prepared
def alliances_of_events() -> QuerySet[Any, Any]:
    rows = Event.objects.filter(uid=Blank(0, Event, "uid"))
    return rows.values_list(*columns_of(Event, "alliance", "plan"))


def test_rows_are_found_by_what_is_filled_in_and_read_as_the_orm_reads_them(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, title_zh="对接会")
    make_event(cast.alliance, scheduled=True, title_zh="论坛")
    stored = Event.objects.get(pk=event.pk)

    found = events_of_a_title(SYSTEM).rows("对接会")

    assert found == [[stored.uid, stored.starts_at]]
    assert events_of_a_title(SYSTEM).rows("没有") == []


def test_other_rights_make_another_statement(cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True, audience="secretariat", title_zh="内部会")

    assert [len(events_of_a_title(viewer).rows("内部会")) for viewer in (SYSTEM, PUBLIC)] == [1, 0]


def test_one_to_a_few_values_fill_the_blanks(cast: Cast) -> None:
    events = [make_event(cast.alliance, scheduled=True) for _number in range(FEW)]
    for count in (1, 2, FEW):
        wanted = [event.uid for event in events[:count]]
        rows = few_events().rows(*wanted)

        assert [built(Event, row) for row in rows] == events[:count]


def test_object_built_is_the_object_read(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    (row,) = few_events().rows(event.uid)
    one, read = built(Event, row), Event.objects.get(pk=event.pk)
    names = columns_of(Event)

    assert [getattr(one, name) for name in names] == [getattr(read, name) for name in names]
    assert one.loaded == read.loaded


def test_object_is_built_with_what_it_refers_to(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    (row,) = alliances_of_events().rows(event.uid)
    with CaptureQueriesContext(connection) as context:
        one = built(Event, row, "alliance", "plan")
        found = (one, one.alliance, one.plan)

    assert found == (event, cast.alliance, None)
    assert len(context) == 0


def test_object_is_built_with_the_named_columns_of_what_it_refers_to_and_others_when_asked(
    cast: Cast,
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    names = {"alliance": ("id", "name_zh")}
    (row,) = Event.objects.filter(pk=event.pk).values_list(*columns_of(Event, **names))
    one = built(Event, row, **names)
    with CaptureQueriesContext(connection) as known:
        assert one.alliance.name_zh == cast.alliance.name_zh
    with CaptureQueriesContext(connection) as asked:
        assert one.alliance.slug == cast.alliance.slug

    assert (len(known), len(asked)) == (0, 1)


def test_values_are_written_as_the_orm_writes_them() -> None:
    with override("en"):
        name = gettext_lazy("Alliance")
        insert_rows(Scope, [{"name": name, "last_number": Decimal(7)}])

    assert list(Scope.objects.values_list("name", "last_number")) == [("Alliance", 7)]


def test_question_without_possible_answer_asks_nobody() -> None:
    with CaptureQueriesContext(connection) as context:
        found = no_events().rows("论坛")

    assert (found, len(context)) == ([], 0)


def test_rows_are_inserted_in_as_few_statements_as_batches_and_read_as_written() -> None:
    rows = [
        {"number": number, "scope": "public", "before": False, "after": True}
        for number in range(1, BATCH + 2)
    ]
    with CaptureQueriesContext(connection) as context:
        insert_rows(ChangeScope, rows)

    stored = ChangeScope.objects.order_by("number").values_list("number", "before", "after")
    assert list(stored) == [(number, False, True) for number in range(1, BATCH + 2)]
    assert len(context) == 2


def test_rows_that_stand_there_are_given_what_was_named() -> None:
    insert_rows(Scope, [{"name": name, "last_number": 1} for name in ("public", "other")])

    newer = [{"name": name, "last_number": 2} for name in ("public", "new")]
    insert_rows(Scope, newer, unique=("name",), update=("last_number",))

    stored = dict(Scope.objects.values_list("name", "last_number"))
    assert stored == {"public": 2, "other": 1, "new": 2}


def test_nothing_is_inserted_by_no_statement() -> None:
    with CaptureQueriesContext(connection) as context:
        insert_rows(Scope, [])

    assert len(context) == 0


def test_row_is_written_only_where_what_is_known_of_it_holds(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, title_zh="对接会")
    before = Event.objects.get(pk=event.pk)
    known = {"pk": event.pk, "version": before.version}
    values = {"title_zh": "论坛", "version": before.version + 1, "work_area_id": None}

    written = [update_row(Event, values, known=known) for _time in (1, 2)]

    after = Event.objects.get(pk=event.pk)
    assert written == [True, False]
    assert (after.title_zh, after.version) == ("论坛", before.version + 1)
