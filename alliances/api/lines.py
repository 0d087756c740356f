"""From the body of a request to a line of a plan."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from alliances.drafting import Host, Line
from alliances.models import Plan, PlanItem
from alliances.windows import Precision, TimeCode, Window, read_window
from coordination.changes.refusals import Message, invalid

WORDS: dict[TimeCode, Message] = {
    TimeCode.NO_SUCH_DATE: _("There is no such date."),
    TimeCode.END_BEFORE_START: _("The end is before the beginning."),
    TimeCode.OTHER_YEAR: _("This is not in the year of the plan."),
}


def line_from(values: dict[str, Any], *, plan: Plan, item: PlanItem | None) -> Line:
    """Return the line that the cleaned body describes; what it leaves out stays as in `item`.

    Raises:
        InvalidInput: a time that does not exist, or a host without a name.
    """
    columns = dict(values)
    hosts, area = columns.pop("hosts", None), columns.pop("work_area", None)
    if "work_area" not in values and item is not None:
        area = item.work_area
    if "windows" in columns:
        columns["windows"] = [_window(index, one) for index, one in enumerate(columns["windows"])]
    elif "window_text" in columns:
        notes = columns.get("notes", item.notes if item else "")
        columns["windows"] = windows_from(columns["window_text"], year=plan.year, notes=notes)
    return Line(columns, _hosts(hosts, item), area)


def windows_from(text: str, *, year: int, notes: str) -> list[dict[str, Any]]:
    """Return the windows that a written time stands for; unknown words are kept, without one.

    Raises:
        InvalidInput: the time does not exist.
    """
    read = read_window(text, year=year, notes=notes)
    for problem in read.problems:
        if problem.code.is_error:
            raise invalid("window_text", WORDS[problem.code], code=problem.code.value)
    return [window.as_json() for window in read.windows]


def _window(index: int, given: dict[str, Any]) -> dict[str, Any]:
    """Return one window given as such."""
    start, end = given.get("start"), given.get("end")
    field = f"windows.{index}.end"
    if (start is None) != (end is None):
        raise invalid(field, _("Give both the first and the last day, or neither."))
    if start is not None and end is not None and end < start:
        raise invalid(field, _("The end is before the beginning."), code="end_before_start")
    window = Window(
        start, end, Precision(given["precision"]), given.get("start_time"), given.get("end_time")
    )
    return window.as_json()


def _hosts(given: list[dict[str, Any]] | None, item: PlanItem | None) -> list[Host]:
    if given is None:
        stored: Any = [] if item is None else item.hosts.select_related("organization")
        return [Host(host.name, host.organization) for host in stored]
    hosts = []
    for index, host in enumerate(given):
        organization = host.get("organization")
        name = host.get("name") or (str(organization) if organization else "")
        if not name:
            words = _("Give a name or an organization.")
            raise invalid(f"hosts.{index}.name", words, code="required")
        hosts.append(Host(name, organization))
    return hosts
