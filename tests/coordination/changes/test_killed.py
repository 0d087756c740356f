"""A process that is killed in the middle of a verb leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from alliances.drafting import Line, add_items
from alliances.models import Edition, EditionItem, Plan, PlanItem
from alliances.planning import adopt_plan
from coordination.accounts.viewer import SYSTEM
from coordination.changes.models import Change, Counter
from events.models import Event
from tests.factories import AT, make_alliance, make_line, make_plan, window

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: not on this system"),
]
MAY = window("2028-05-01", "2028-05-31", "month")


def killed_at_statement(number: int, deed: Callable[[], object]) -> bool:
    """Do the deed in a process that is killed as it sends its n-th statement; say if it was."""
    connections.close_all()
    if hasattr(connection, "close_pool"):
        connection.close_pool()  # its connections are not the child's to use
    pid = os.fork()
    if pid == 0:
        sent = 0

        def count(execute: Any, *call: Any) -> Any:
            nonlocal sent
            sent += 1
            if sent == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*call)

        with connection.execute_wrapper(count):
            deed()
        os._exit(0)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def everything() -> tuple[object, ...]:
    return (
        list(Plan.objects.values_list("version", "state", "edition")),
        list(PlanItem.objects.order_by("pk").values_list("version", "since_edition")),
        list(Event.objects.order_by("pk").values_list("version", "openness")),
        Edition.objects.count(),
        EditionItem.objects.count(),
        Change.objects.count(),
        Counter.objects.get().value,
    )


@pytest.mark.parametrize("verb", ["import", "adopt"])
def test_verb_that_is_killed_at_any_statement_leaves_nothing(verb: str) -> None:
    plan = make_plan(make_alliance())
    for number in range(3):
        make_line(plan, f"会{number}", MAY)
    before, killed = everything(), 0

    def deed() -> None:
        found = Plan.objects.get(pk=plan.pk)
        if verb == "import":
            lines = [Line({"title_zh": f"新{number}", "windows": [MAY]}) for number in range(30)]
            add_items(found, lines, viewer=SYSTEM, at=AT)
        else:
            adopt_plan(found, on=AT.date(), viewer=SYSTEM, at=AT)

    for statement in range(1, 200, 2):
        if not killed_at_statement(statement, deed):
            break
        assert everything() == before
        killed += 1

    assert killed > 5
    assert everything() != before
