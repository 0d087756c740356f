"""caldav-server-tester on one calendar, told as JSON. Runs in the clients' environment.

    python tester_session.py URL USERNAME PASSWORD CALENDAR

Every check is run, also after one that gives up: the program ends at the first, and a server on
which calendars cannot be made or filled with anything makes its preparation give up.
"""

import contextlib
import inspect
import json
import logging
import sys

import caldav
from caldav_server_tester import checks
from caldav_server_tester.checker import ServerQuirkChecker
from caldav_server_tester.checks_base import Check


def main(url: str, username: str, password: str, calendar: str) -> dict[str, str]:
    client = caldav.DAVClient(url=url, username=username, password=password)
    checker = ServerQuirkChecker(client, debug_mode=None)
    expected = checker.expected_features
    expected.set_feature("test-calendar.compatibility-tests", {"name": calendar, "cleanup": False})
    for _name, check in inspect.getmembers(checks, inspect.isclass):
        if check.__module__ == checks.__name__ and issubclass(check, Check) and check is not Check:
            with contextlib.suppress(Exception):
                check(checker).run_check(only_once=True)
    found = checker.features_checked.dotted_feature_set_list(compact=False)
    return {name: str(value.get("support", "full")) for name, value in sorted(found.items())}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(main(*sys.argv[1:5])))
