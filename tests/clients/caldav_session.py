"""What python-caldav does with a calendar, told as JSON. Runs in the clients' environment.

python caldav_session.py URL USERNAME PASSWORD
"""

import json
import sys
from datetime import UTC, datetime

import caldav


def main(url: str, username: str, password: str) -> dict[str, object]:
    client = caldav.DAVClient(url=url, username=username, password=password)
    principal = client.principal()
    calendars = {str(one.id): one for one in principal.calendars()}
    calendar = calendars["jjj"]
    objects = calendar.objects_by_sync_token(load_objects=True)
    token = objects.sync_token
    may = calendar.search(
        start=datetime(2028, 5, 1, tzinfo=UTC), end=datetime(2028, 6, 1, tzinfo=UTC), event=True
    )
    busy = calendar.freebusy_request(
        datetime(2028, 5, 1, tzinfo=UTC), datetime(2028, 7, 1, tzinfo=UTC)
    )
    words = calendar.search(event=True, summary="论坛")
    todos = calendars["mine"].search(todo=True, include_completed=True)
    again = calendar.objects_by_sync_token(sync_token=token)
    return {
        "calendars": {name: str(one.get_display_name()) for name, one in calendars.items()},
        "all": sorted(str(one.icalendar_component["UID"]) for one in objects),
        "may": sorted(str(one.icalendar_component["SUMMARY"]) for one in may),
        "words": [str(one.icalendar_component["SUMMARY"]) for one in words],
        "todos": [str(one.icalendar_component["SUMMARY"]) for one in todos],
        "busy": [line for line in busy.data.splitlines() if line.startswith("FREEBUSY")],
        "again": len(list(again)),
        "same_token": again.sync_token == token,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4])))
