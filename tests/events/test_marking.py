"""The table of holidays is brought up to date without code, and what counts by it follows."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command

from coordination.changes.refusals import InvalidInput, NotAllowed
from events.almanac import named_days, years_of
from events.marking import fill_holidays, take_over_file
from events.models import Holiday, HolidayYear, Reminder
from events.reminding import add_reminder_rule
from tests.factories import AT, SYSTEM, Cast, make_event

pytestmark = pytest.mark.django_db
FILE = "day,country,kind,name_zh,name_en\n"
NOTICE = "国办发明电〔2027〕1号"


def take(lines: str) -> list[tuple[str, int]]:
    return take_over_file(FILE + lines, source=NOTICE, viewer=SYSTEM, at=AT)


def test_fill_holidays_again_changes_nothing() -> None:
    first = fill_holidays(viewer=SYSTEM, at=AT, countries=["CN"], years=[2026, 2027])
    again = fill_holidays(viewer=SYSTEM, at=AT, countries=["CN"], years=[2026, 2027], again=True)
    assert (first, again) == ([("CN", 2026), ("CN", 2027)], [])
    assert dict(HolidayYear.objects.values_list("year", "is_settled")) == {2026: True, 2027: False}


def test_take_over_file_replaces_a_year_and_the_library_leaves_it() -> None:
    fill_holidays(viewer=SYSTEM, at=AT, countries=["CN"], years=[2027])
    assert take("2027-02-06,CN,holiday,春节,Spring Festival\n2027-02-14,cn,workday,,\n") == [
        ("CN", 2027)
    ]
    assert fill_holidays(viewer=SYSTEM, at=AT, countries=["CN"], years=[2027], again=True) == []
    assert [(one.day.isoformat(), one.kind, one.name_zh) for one in named_days("CN", [2027])] == [
        ("2027-02-06", "holiday", "春节"),
        ("2027-02-14", "workday", ""),
    ]
    known = years_of([("CN", 2027)])["CN", 2027]
    assert (known.is_settled, HolidayYear.objects.get().source) == (True, NOTICE)


def test_reminders_follow_a_notice_that_comes_out(cast: Cast) -> None:
    add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P2D", day_unit="working",
        audience=["members"],
    )  # fmt: skip
    make_event(cast.alliance, scheduled=True)  # Tuesday 16 May 2028
    assert Reminder.objects.get().shown_at == datetime(2028, 5, 12, 1, 30, tzinfo=UTC)

    take("2028-05-14,CN,workday,,\n")  # the Sunday before is worked

    assert Reminder.objects.get().shown_at == datetime(2028, 5, 14, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "2027-02-30,CN,holiday,,\n",
        "2027-02-06,China,holiday,,\n",
        "2027-02-06,CN,feast,,\n",
        "2027-02-06,CN,holiday,,\n2027-02-06,CN,workday,,\n",
        "1027-02-06,CN,holiday,,\n",
    ],
)
def test_take_over_file_that_cannot_be_read_stores_nothing(lines: str) -> None:
    with pytest.raises(InvalidInput):
        take("2027-01-01,CN,holiday,,\n" + lines if lines else lines)
    assert Holiday.objects.count() == 0


def test_take_over_file_without_its_columns_is_refused() -> None:
    with pytest.raises(InvalidInput):
        take_over_file("date,country\n", source="x", viewer=SYSTEM, at=AT)


def test_marking_days_is_for_superusers(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        fill_holidays(viewer=cast.secretary, at=AT, countries=["CN"], years=[2026])
    with pytest.raises(NotAllowed):
        take_over_file(FILE, source="x", viewer=cast.secretary, at=AT)
    assert HolidayYear.objects.count() == 0


def test_load_holidays_takes_a_file_and_names_what_is_wrong(tmp_path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(FILE + "2027-02-06,CN,holiday,春节,\n", encoding="utf-8")
    call_command("load_holidays", file=str(path), verbosity=0)
    assert Holiday.objects.get().day == date(2027, 2, 6)
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("load_holidays", file=str(path), verbosity=0)
