"""caldav-server-tester on one calendar, told as JSON. Runs in the clients' environment.

    python tester_session.py URL USERNAME PASSWORD CALENDAR

All checks of the program are run as they are, in the order in which they are written: in that of
their names, things that one check cannot delete disturb the next. Three steps at which the program
gives up are passed over, because it would then tell nothing of what follows:

* where a task can be kept nowhere, its preparation asks for a second calendar, and ends where none
  can be made. Its own grade for a task that is refused is taken, and it goes on without tasks;
* its preparation ends at the first event that repeats. The refusal is graded as the program grades
  refusals elsewhere, and its steps after that one are done;
* its check of sync tokens ends where an event that people may know of is not deleted. Its last
  step, which deletes nothing, is then done.
"""

import contextlib
import inspect
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import caldav
from caldav.lib.error import AuthorizationError, DAVError
from caldav_server_tester import checks
from caldav_server_tester.checker import ServerQuirkChecker
from caldav_server_tester.checks_base import Check

REPEATING = "csc_monthly_recurring_event"
SERIES = ("save-load.event.recurrences", "save-load.event.recurrences.count")


class Preparation(checks.PrepareCalendar):
    """The program's preparation, which goes on after a task and after a series."""

    def _prepare_task_calendar(self, *arguments: Any) -> bool:
        try:
            return bool(super()._prepare_task_calendar(*arguments))
        except DAVError:
            self.set_feature("save-load.todo", "ungraceful")
            return False

    def _create_test_events(
        self, calendar: Any, name: str, title: str, add: Callable[..., Any]
    ) -> None:
        asked = []

        def noted(*arguments: Any, **values: Any) -> Any:
            asked.append(values.get("uid"))
            return add(*arguments, **values)

        try:
            super()._create_test_events(calendar, name, title, noted)
        except DAVError:
            if asked[-1] != REPEATING:
                raise
            for feature in SERIES:
                self.set_feature(feature, "ungraceful")
            self._store_recurrence_with_exception(calendar, add, self.checker.fixture_base_year)
            self._create_olddate_probes()


class SyncTokens(checks.CheckSyncToken):
    """The program's check of sync tokens, which asks for a forged one whatever came before."""

    def _run_check(self) -> None:
        try:
            super()._run_check()
        except AuthorizationError:
            self.set_feature("sync-token.delete", {"support": "unknown"})
            self._check_invalid_token(self.checker.calendar)


def all_checks() -> list[type[Check]]:
    """Return the program's checks as they are written, two of them as they are here."""
    ours = {checks.PrepareCalendar: Preparation, checks.CheckSyncToken: SyncTokens}
    found = [
        check
        for check in vars(checks).values()
        if inspect.isclass(check) and issubclass(check, Check) and check is not Check
    ]
    for check in (*found, *ours.values()):
        check.depends_on = {ours.get(other, other) for other in check.depends_on}
    return [ours.get(check, check) for check in found]


def main(url: str, username: str, password: str, calendar: str) -> dict[str, str]:
    client = caldav.DAVClient(url=url, username=username, password=password)
    checker = ServerQuirkChecker(client, debug_mode=None)
    expected = checker.expected_features
    expected.set_feature("test-calendar.compatibility-tests", {"name": calendar, "cleanup": False})
    for check in all_checks():
        with contextlib.suppress(Exception):
            check(checker).run_check(only_once=True)
    found = checker.features_checked.dotted_feature_set_list(compact=False)
    return {
        name: str(value.get("support", value.get("value"))) for name, value in sorted(found.items())
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(main(*sys.argv[1:5])))
