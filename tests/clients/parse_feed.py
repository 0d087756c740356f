"""What `icalendar` and `ical` read in a feed, told as JSON. Runs in the clients' environment.

python parse_feed.py icalendar|ical FILE
"""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path


def said(moment: date | datetime) -> str:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat()


def by_icalendar(text: str) -> dict[str, list[str]]:
    from icalendar import Calendar

    return {
        str(one["UID"]): [
            said(one.decoded("DTSTART")), said(one.decoded("DTEND")), str(one["SUMMARY"]),
            str(one["STATUS"]), str(one["SEQUENCE"]), str(one["DESCRIPTION"]),
        ]
        for one in Calendar.from_ical(text).walk("VEVENT")
    }  # fmt: skip


def by_ical(text: str) -> dict[str, list[str]]:
    from ical.calendar_stream import IcsCalendarStream

    return {
        one.uid: [
            said(one.dtstart), said(one.dtend), one.summary, one.status.value, str(one.sequence),
            one.description,
        ]
        for one in IcsCalendarStream.calendar_from_ics(text).events
    }  # fmt: skip


if __name__ == "__main__":
    read = {"icalendar": by_icalendar, "ical": by_ical}[sys.argv[1]]
    print(json.dumps(read(Path(sys.argv[2]).read_bytes().decode())))
