"""The pages in a real browser: nothing wide, no error, no script needed, axe finds nothing.

Skipped with a line where no Chromium is found (Debian: ``apt-get install chromium``).
"""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.linking import LinkSettings, issue_link
from events.inviting import invite_organizations
from events.models import Event
from events.scheduling import postpone_event, schedule_event
from tests.conftest import NOW
from tests.factories import (
    AT,
    Cast,
    advance_plan,
    make_line,
    make_plan,
    make_work_area,
    span,
    window,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1360, "height": 900}
SERIOUS = {"serious", "critical"}

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium was not found: apt-get install chromium"),
]


@pytest.fixture
def running_clock() -> Iterator[None]:
    """Move the clock to the tests' year; it goes on running, as browsers expect."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def browser(running_clock: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start Chromium; Playwright keeps an event loop, which Django must be told is harmless."""
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield started
        started.close()


@pytest.fixture
def paths(cast: Cast) -> list[str]:
    """Fill an alliance with a plan in every state, and name the pages to look at."""
    plan = make_plan(cast.alliance)
    for number in range(3):
        area = make_work_area(plan, f"工作方面{number}")
        day = date(2028, 5, 10) + timedelta(days=number * 40)
        make_line(plan, f"走访{number}", window(str(day)), work_area=area, hosts=(cast.host,))
        make_line(plan, f"季度{number}", window("2028-10-01", "2028-12-31", "quarter"))
        make_line(plan, f"待定{number}", work_area=area)
    advance_plan(plan)
    event = Event.objects.select_related("alliance", "plan").get(title_zh="走访0")
    schedule_event(event, span("2028-05-10T09:30", "2028-05-12T12:00"), viewer=SYSTEM, at=AT)
    invite_organizations(event, [cast.member, cast.host], viewer=SYSTEM, at=AT)
    postpone_event(event, reason="场地调整", viewer=SYSTEM, at=AT)
    item = plan.items.first()
    wanted = LinkSettings(name="本单位的活动", language="zh-hans", alarms=[60])
    link = issue_link(User.objects.get(username="secretary"), wanted, viewer=SYSTEM, at=AT)
    return [
        "/",
        "/calendar/?month=2028-05",
        "/plans/",
        "/alliances/",
        "/alliances/jjj/",
        "/alliances/jjj/plans/2028/",
        "/alliances/jjj/plans/2028/?view=table",
        "/alliances/jjj/plans/2028/actual/",
        "/alliances/jjj/plans/2028/editions/",
        "/alliances/jjj/plans/2028/manage/",
        "/alliances/jjj/plans/2028/lines/new/",
        "/alliances/jjj/members/new/",
        "/alliances/jjj/seats/new/",
        f"/lines/{item.uid}/",
        "/events/",
        f"/events/{event.uid}/",
        f"/events/{event.uid}/edit/",
        f"/history/{event.uid}/",
        "/members/",
        "/reminders/",
        "/connect/",
        f"/connect/links/new/?plan={plan.uid}",
        f"/connect/links/{link.uid}/",
    ]


def open_all(page: Any) -> None:
    """Unfold everything, so that what is folded away is looked at too."""
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def signed_in(browser: Any, live_server: Any, username: str, **options: Any) -> Any:
    client = Client()
    client.force_login(User.objects.get(username=username))
    context = browser.new_context(locale="zh-CN", **options)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return context


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_in_a_browser_have_no_barrier_and_no_error(browser, live_server, paths, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = signed_in(browser, live_server, "secretary", viewport=DESK, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    found: list[tuple[str, str, str]] = []
    for path in paths:
        page.goto(live_server.url + path)
        open_all(page)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in SERIOUS:
                node = violation["nodes"][0]
                found.append((path, violation["id"], node["html"][:160]))

    assert found == []
    assert said == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_are_no_wider_than_the_window(browser, live_server, paths, size):
    context = signed_in(browser, live_server, "secretary", viewport=size)
    page = context.new_page()

    wide = []
    for path in paths:
        page.goto(live_server.url + path)
        open_all(page)
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            wide.append(path)

    assert wide == []


def test_board_on_a_phone_is_a_list_by_month(browser, live_server, paths):
    context = signed_in(browser, live_server, "secretary", viewport=PHONE)
    page = context.new_page()
    page.goto(live_server.url + "/alliances/jjj/plans/2028/")

    assert not page.locator(".board").is_visible()
    assert page.locator(".by-month .month-head").first.inner_text() == "2028年5月"


def test_event_is_confirmed_by_keyboard_without_scripts(browser, live_server, paths):
    event = Event.objects.get(title_zh="走访1")
    schedule_event(event, span("2028-06-19T09:30", "2028-06-19T12:00"), viewer=SYSTEM, at=AT)
    context = signed_in(browser, live_server, "secretary", viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/events/{event.uid}/")

    page.locator("#do-confirm summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    event.refresh_from_db()
    assert event.state == "confirmed"


def test_skip_link_is_the_first_stop_of_the_keyboard(browser, live_server, paths):
    page = browser.new_context(viewport=DESK).new_page()
    page.goto(live_server.url + "/")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.className") == "skip"
