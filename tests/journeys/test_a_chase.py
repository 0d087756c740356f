"""An agenda that nobody sends: the loop itself goes from the officer to the secretariat's list."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.db.models import Max

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.loop import run_loop
from coordination.deliveries.models import Heartbeat, Message
from events.chasing import take_over_standard_chasing
from events.marking import take_over_file
from events.models import Chase, Duty, StandardDuty
from events.owing import fulfil_duty
from events.scheduling import Host
from tests.factories import AT, BEIJING, Cast, make_cast, make_event, make_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="moves this process's clock"),
]
HOURS = ((8, 59), (9, 0), (13, 0))  # in Beijing; 13:00 is 07:00 in Berlin
Told = tuple[str, str, str]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(AT, tick=True) as traveller:
        yield traveller


@pytest.fixture
def chased(clock: time_machine.Traveller) -> Cast:
    """Two events of one host, whose agendas are due on Friday, 5 May, after a holiday."""
    cast = make_cast()
    for name, role in (("deputy", "deputy"), ("head", "representative")):
        make_person(name, role=role, organization=cast.host)
    User.objects.filter(username="deputy").update(time_zone="Europe/Berlin")
    days_off(range(1, 4))
    take_over_standard_chasing(cast.alliance, viewer=SYSTEM, at=AT)
    StandardDuty.objects.exclude(kind="send_agenda")._raw_delete("default")
    for title in ("甲会", "乙会"):
        make_event(cast.alliance, scheduled=True, title_zh=title, hosts=[Host(cast.host)])
    return cast


def days_off(days: range, *, working: tuple[str, ...] = (), at: datetime = AT) -> None:
    """Lay down which days in May are off, and which days of weekends are worked."""
    lines = [f"2028-05-0{day},CN,holiday" for day in days]
    lines += [f"{day},CN,workday" for day in working]
    content = "\n".join(["day,country,kind", *lines])
    take_over_file(content, source="notice", viewer=SYSTEM, at=at)


@contextmanager
def running() -> Iterator[None]:
    """Run the loop as `up` does."""
    stop, wake = threading.Event(), threading.Event()
    loop = threading.Thread(target=run_loop, args=(stop, wake), kwargs={"interval": 0.01})
    loop.start()
    try:
        yield
    finally:
        stop.set()
        wake.set()
        loop.join()


def beijing(day: str, hour: int, minute: int = 0) -> datetime:
    wall = datetime.fromisoformat(f"2028-{day}T{hour:02}:{minute:02}")
    return wall.replace(tzinfo=ZoneInfo(BEIJING))


def live(clock: time_machine.Traveller, *days: str) -> list[Told]:
    """Live through days; return who got mail when, by Beijing's clock, about which meetings."""
    told: list[Told] = []
    for day in days:
        for hour, minute in HOURS:
            at = beijing(day, hour, minute)
            clock.move_to(at)
            mail.outbox.clear()
            go_round(at)
            told += sorted(
                (f"{at:%m-%d %H:%M}", name_in(one.to[0]), meetings_in(one.body))
                for one in mail.outbox
            )
    return told


def meetings_in(text: str) -> str:
    return "".join(name for name in "甲乙" if f"{name}会" in text)


def name_in(address: str) -> str:
    return address.rpartition("<")[2].partition("@")[0]


def go_round(at: datetime) -> None:
    """Wait until the loop has gone round and all that was due is sent."""
    wait_for_a_beat_after(at)
    wait_for_a_beat_after(Heartbeat.objects.aggregate(last=Max("beat_at"))["last"])
    until = time.perf_counter() + 20
    while Message.objects.due(datetime.now(UTC)).exists() or claimed():
        assert time.perf_counter() < until
        time.sleep(0.005)


def claimed() -> bool:
    return Message.objects.exclude(lease="").exists()


def wait_for_a_beat_after(at: datetime) -> None:
    until = time.perf_counter() + 20
    while not Heartbeat.objects.filter(beat_at__gt=at).exists():
        assert time.perf_counter() < until
        time.sleep(0.005)


def test_chase_goes_from_the_officer_to_the_secretariats_list_until_it_is_done(
    chased: Cast, clock: time_machine.Traveller
) -> None:
    with running():
        before = live(clock, "04-26", "04-27", "05-04", "05-05", "05-08")
        done_at = beijing("05-09", 8)
        clock.move_to(done_at)
        fulfil_duty(Duty.objects.get(event__title_zh="甲会"), viewer=SYSTEM, at=done_at)
        after = live(clock, "05-09", "05-10", "05-12", "05-15")

    # One mail for both, at nine; the deputy is in Berlin, where that is the middle of the night.
    assert before == [
        ("04-27 09:00", "host", "甲乙"),
        ("05-05 09:00", "host", "甲乙"),
        ("05-08 13:00", "deputy", "甲乙"),
    ]
    assert after == [("05-10 09:00", "head", "乙"), ("05-12 09:00", "secretary", "乙")]


def test_chase_after_a_new_notice_and_a_standstill_tells_each_once(
    chased: Cast, clock: time_machine.Traveller
) -> None:
    with running():
        before = live(clock, "04-27")
        days_off(range(1, 6), working=("2028-04-29", "2028-05-06"), at=beijing("04-29", 9))
        moved = live(clock, "05-05", "05-06", "05-07")
    with running():  # nothing ran from Sunday evening to Thursday morning
        after = live(clock, "05-11", "05-12", "05-15")

    # The week is off by now, and the Saturday after it is worked: that is when it falls due.
    assert before == [("04-27 09:00", "host", "甲乙")]
    assert moved == [("05-06 09:00", "host", "甲乙")]
    assert after == [
        ("05-11 08:59", "head", "甲乙"),
        ("05-11 13:00", "deputy", "甲乙"),
        ("05-12 09:00", "secretary", "甲乙"),
    ]
    assert set(Chase.objects.filter(state="skipped").values_list("note", flat=True)) == {
        "told with the next step"
    }
