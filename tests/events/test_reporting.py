from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from alliances.drafting import Line, drop_item, revise_item
from alliances.planning import adopt_plan
from events.concluding import conclude_event
from events.models import Event
from events.progress import Tally
from events.reporting import Progress, report_progress
from events.scheduling import Host, cancel_event, schedule_event
from tests.factories import (
    AT,
    SYSTEM,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    span,
    stored,
    window,
)

MARCH = window("2028-03-01", "2028-03-31", "month")
MAY = window("2028-05-01", "2028-05-31", "month")
YEAR_END = date(2028, 12, 31)


def on_day(day: str) -> Any:
    return span(f"{day}T09:00", f"{day}T12:00")


def hold(event: Event, day: str) -> None:
    schedule_event(event, on_day(day), viewer=SYSTEM, at=AT)
    conclude_event(
        event, viewer=SYSTEM, at=datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    )


def statuses(progress: Progress) -> list[tuple[str, int, str, int]]:
    return [
        (
            str(row.item or row.event),
            row.number,
            row.status,
            row.verdict.days_late,
        )
        for row in progress.rows
    ]


def report(plan: Any, on: date = YEAR_END, viewer: Any = SYSTEM) -> Progress:
    return report_progress(stored(plan), viewer=viewer, on=on)


def test_report_progress_tells_where_each_event_stands(cast: Cast) -> None:
    plan = make_plan(cast.alliance, target_number=3)
    area = make_work_area(plan)
    line = make_line(plan, "例会", MARCH, MAY, hosts=(cast.host, cast.member), work_area=area)
    gone = make_line(plan, "论坛", MAY, hosts=(cast.host,))
    make_line(plan, "待定事项")
    advance_plan(plan, "published")
    hold(line.events.get(occurrence=1), "2028-03-20")
    schedule_event(line.events.get(occurrence=2), on_day("2028-07-03"), viewer=SYSTEM, at=AT)
    drop_item(
        stored(gone), on=date(2028, 4, 10), reason="经费", viewer=SYSTEM, at=AT + timedelta(90)
    )
    progress = report(plan, date(2028, 6, 1))
    assert statuses(progress) == [
        ("例会", 1, "held", 0),
        ("例会", 2, "moved_quarter", 33),
        ("论坛", 1, "dropped", 0),
        ("待定事项", 1, "undated", 0),
    ]
    assert progress.totals == Tally(
        planned=4, held=1, set=1, open=1, dropped=1, on_time=1, late=1, changed_quarter=1
    )
    assert [(str(key), totals.planned) for key, totals in progress.by_work_area] == [
        ("产业协同", 2),
        ("None", 2),
    ]
    assert [(key, totals.planned, totals.held) for key, totals in progress.by_member] == [
        (cast.host, 3, 1),
        (cast.member, 2, 1),
    ]
    assert (progress.target_number, progress.short_of_target) == (3, 2)


def test_report_progress_of_an_earlier_day_ignores_what_came_later(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    line = make_line(plan, "例会", MARCH)
    gone = make_line(plan, "论坛", MARCH)
    advance_plan(plan, "published")
    hold(line.events.get(), "2028-03-20")
    cancel_event(gone.events.get(), reason="经费", viewer=SYSTEM, at=AT + timedelta(days=60))
    assert statuses(report(plan, date(2028, 3, 9))) == [
        ("例会", 1, "on_time", 0),
        ("论坛", 1, "coming", 0),
    ]


def test_report_progress_measures_by_the_first_edition(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    line = make_line(plan, "例会", MARCH)
    advance_plan(plan, "published")
    moved = Line(values={"windows": [MAY, MAY]})
    revise_item(stored(line), moved, viewer=SYSTEM, at=AT, reason="推迟")
    make_line(plan, "新增论坛", MAY, reason="新任务")
    assert statuses(report(plan, date(2028, 4, 10))) == [
        ("例会", 1, "late", 10),
        ("例会", 2, "coming", 0),
    ]
    adopt_plan(stored(plan), on=date(2028, 4, 5), viewer=SYSTEM, at=AT)
    progress = report(plan, date(2028, 4, 10))
    assert [(row.is_added, row.status) for row in progress.rows] == [
        (False, "late"),
        (True, "coming"),
        (True, "coming"),
    ]
    assert (progress.totals.planned, progress.totals.added) == (3, 2)
    assert len(report(plan, date(2028, 4, 4)).rows) == 2


def test_report_progress_of_a_draft_is_measured_by_its_lines(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "例会", MARCH, MAY)
    progress = report(plan, date(2028, 4, 10))
    assert statuses(progress) == [("例会", 1, "late", 10), ("例会", 2, "coming", 0)]
    assert (progress.totals.added, progress.short_of_target) == (0, None)


def test_report_progress_counts_events_of_the_plan_without_a_line(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "例会", MARCH)
    advance_plan(plan, "published")
    extra = make_event(cast.alliance, plan=plan, title_zh="临时会商", hosts=[Host(cast.host)])
    hold(extra, "2028-04-01")
    progress = report(plan)
    assert statuses(progress) == [("例会", 1, "late", 275), ("临时会商", 1, "held", 0)]
    assert progress.totals.added == 1


def test_report_progress_shows_each_viewer_what_they_may_see(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "例会", MARCH)
    advance_plan(plan, "published")
    make_event(cast.alliance, plan=plan, title_zh="内部准备", audience="secretariat")
    assert report(plan, viewer=cast.secretary).totals.planned == 2
    assert report(plan, viewer=cast.public).totals.planned == 1


def test_report_progress_costs_a_constant_number_of_queries(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    make_line(plan, "例会", MARCH, hosts=(cast.host,))
    advance_plan(plan, "published")
    plan = stored(plan)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            report_progress(plan, viewer=cast.member_liaison, on=YEAR_END)
        return len(captured)

    few = queries()
    for number in range(29):
        make_line(plan, f"例会{number}", MARCH, MAY, hosts=(cast.member,), reason="更多")
    adopt_plan(stored(plan), on=AT.date(), viewer=SYSTEM, at=AT)
    assert queries() == few
