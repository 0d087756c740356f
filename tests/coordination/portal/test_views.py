"""Pages that need both domains, read as the cast reads them."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alliances.joining import end_membership
from alliances.models import Membership
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.inviting import invite_organizations
from events.models import Event
from events.scheduling import cancel_event, schedule_event
from tests.factories import (
    AT,
    Cast,
    advance_plan,
    make_event,
    make_line,
    make_plan,
    make_work_area,
    span,
    window,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    if viewer.user_id is not None:
        client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


@pytest.fixture
def published(cast: Cast):
    plan = make_plan(cast.alliance)
    area = make_work_area(plan, "搭建平台")
    make_line(plan, "走进天开园", window("2028-05-14"), work_area=area, hosts=(cast.host,))
    make_line(plan, "季度例会", window("2028-04-01", "2028-06-30", "quarter"), work_area=area)
    make_line(plan, "待定的会", work_area=area)
    make_line(plan, "错过的会", window("2028-02-01", "2028-02-29", "month"))
    return advance_plan(plan)


def test_home_for_the_public_shows_public_events_and_alliances(cast: Cast):
    make_event(cast.alliance, scheduled=True, title_zh="公开论坛", audience="public")
    make_event(cast.alliance, scheduled=True, title_zh="内部会议", audience="members")

    page = text_of(as_viewer(cast.public), "/")

    assert "公开论坛" in page
    assert "内部会议" not in page
    assert str(cast.alliance) in page


def test_home_for_a_liaison_shows_invitations_that_wait(cast: Cast):
    event = make_event(cast.alliance, scheduled=True, title_zh="对接会")
    invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)

    assert f"/events/{event.uid}/#answer" in text_of(as_viewer(cast.member_liaison), "/")
    assert f"/events/{event.uid}/#answer" not in text_of(as_viewer(cast.host_liaison), "/")


def test_home_for_the_secretariat_shows_what_is_late(cast: Cast, published):
    page = text_of(as_viewer(cast.secretary), "/")

    assert 'id="attention-late"' in page
    assert "错过的会" in page
    assert 'id="attention-late"' not in text_of(as_viewer(cast.member_liaison), "/")


def test_plan_for_the_public_shows_lines_whose_events_are_not_public(cast: Cast, published):
    page = text_of(as_viewer(cast.public), "/alliances/jjj/plans/2028/")

    assert "走进天开园" in page
    item = published.items.get(title_zh="走进天开园")
    event = Event.objects.get(plan_item=item)
    assert (f"/events/{event.uid}/" in page) == (event.openness == "public")


def test_plan_draws_a_quarter_over_nine_columns(cast: Cast, published):
    page = text_of(as_viewer(cast.secretary), "/alliances/jjj/plans/2028/")

    assert '<span class="stretch c-1 s-9"></span>' in page
    assert "month-names cols-12" in page


def test_plan_figures_lead_to_their_rows(cast: Cast, published):
    client = as_viewer(cast.secretary)

    assert "?state=late&amp;view=table" in text_of(client, "/alliances/jjj/plans/2028/")
    rows = text_of(client, "/alliances/jjj/plans/2028/?state=late&view=table")
    assert "错过的会" in rows
    assert "季度例会" not in rows


def test_plan_that_is_a_draft_is_not_found_by_others(cast: Cast):
    make_plan(cast.alliance, year=2029)

    text_of(as_viewer(cast.secretary), "/alliances/jjj/plans/2029/")
    text_of(as_viewer(cast.member_liaison), "/alliances/jjj/plans/2029/", status=404)
    text_of(as_viewer(cast.public), "/alliances/jjj/plans/2029/", status=404)


@pytest.mark.parametrize("view", ["", "list", "table", "nonsense"])
def test_plan_without_lines_says_so_in_every_view(cast: Cast, view: str):
    make_plan(cast.alliance, year=2029)

    text_of(as_viewer(cast.secretary), f"/alliances/jjj/plans/2029/?view={view}")


def test_calendar_puts_a_late_evening_on_the_readers_own_day(cast: Cast):
    late = span("2028-05-31T23:30", "2028-06-01T00:30")
    event = make_event(cast.alliance, title_zh="夜间连线", audience="public")
    schedule_event(event, late, viewer=SYSTEM, at=AT)
    user = User.objects.get(pk=cast.stranger.user_id)
    user.time_zone = "Pacific/Auckland"
    user.save()

    in_may = "/calendar/?month=2028-05"
    assert 'datetime="2028-05-31"' in text_of(as_viewer(cast.public), in_may)
    assert "<time>23:30</time>" in text_of(as_viewer(cast.public), in_may)
    assert "<time>03:30</time>" in text_of(as_viewer(cast.stranger), "/calendar/?month=2028-06")


def test_calendar_draws_three_days_as_one_bar(cast: Cast):
    event = make_event(cast.alliance, title_zh="三天大会", audience="public")
    three = span("2028-05-16T09:00", "2028-05-18T17:00")
    schedule_event(event, three, viewer=SYSTEM, at=AT)

    page = text_of(as_viewer(cast.public), "/calendar/?month=2028-05")

    assert page.count('<li class="c-2 s-3 lane-1">') == 1


def test_calendar_filtered_by_alliance_leaves_the_others_out(cast: Cast):
    make_event(cast.alliance, scheduled=True, title_zh="京津冀的会", audience="public")
    make_event(cast.other, scheduled=True, title_zh="东北的会", audience="public")

    page = text_of(as_viewer(cast.public), "/calendar/?month=2028-05&alliance=dongbei")

    assert "东北的会" in page
    assert "京津冀的会" not in page


@pytest.mark.parametrize("month", ["2028-13", "99999-01", "x", "2028", "0000-00"])
def test_calendar_of_an_impossible_month_shows_this_month(cast: Cast, month: str):
    assert 'datetime="2028-03-31"' in text_of(as_viewer(cast.public), f"/calendar/?month={month}")


def test_calendar_marks_days_off_and_working_weekends(cast: Cast):
    page = text_of(as_viewer(cast.public), "/calendar/?month=2026-10")

    assert page.count('<span class="rest"') == 7
    assert page.count('<span class="work"') == 1


def test_alliance_shows_the_members_of_the_day_asked(cast: Cast):
    membership = Membership.objects.get(alliance=cast.alliance, organization=cast.member)
    left = membership.starts_on + timedelta(days=90)
    end_membership(membership, on=left, reason="合并", viewer=SYSTEM, at=AT)
    client = as_viewer(cast.public)

    before = text_of(client, f"/alliances/jjj/?on={left - timedelta(days=1)}")
    after = text_of(client, f"/alliances/jjj/?on={left}")

    assert (str(cast.member) in before, str(cast.member) in after) == (True, False)


def test_alliance_keeps_people_inside(cast: Cast):
    assert "liaison" in text_of(as_viewer(cast.secretary), "/alliances/jjj/")
    assert 'id="h-people"' not in text_of(as_viewer(cast.public), "/alliances/jjj/")


def test_pages_speak_the_language_asked(cast: Cast):
    client = as_viewer(cast.public)

    assert '<html lang="en">' in text_of(client, "/calendar/?lang=en")
    assert '<html lang="zh-Hans">' in text_of(Client(), "/calendar/?lang=zh-hans")


def test_history_of_an_event_names_no_person_to_the_public(cast: Cast):
    event = make_event(cast.alliance, title_zh="论坛", audience="public", notes="内部")
    schedule_event(
        event,
        span("2028-05-16T09:30", "2028-05-16T12:00"),
        viewer=cast.secretary,
        at=AT,
    )
    cancel_event(event, reason="场地", viewer=cast.secretary, at=AT)

    inside = text_of(as_viewer(cast.secretary), f"/history/{event.uid}/")
    outside = text_of(as_viewer(cast.public), f"/history/{event.uid}/")

    assert ("secretary" in inside, "内部" in inside) == (True, True)
    assert ("· secretary ·" in outside, "内部" in outside) == (False, False)
    assert "场地" in outside


def test_history_of_what_is_not_open_is_not_found(cast: Cast):
    event = make_event(cast.alliance, audience="secretariat")

    text_of(as_viewer(cast.secretary), f"/history/{event.uid}/")
    text_of(as_viewer(cast.member_liaison), f"/history/{event.uid}/", status=404)
    text_of(as_viewer(cast.public), f"/history/{cast.alliance.uid}/")
    text_of(as_viewer(cast.public), "/history/00000000-0000-0000-0000-000000000000/", status=404)


def test_actual_on_a_day_counts_what_is_overdue_then(cast: Cast, published):
    client = as_viewer(cast.secretary)

    early = client.get("/alliances/jjj/plans/2028/actual/?on=2028-02-29").context["figures"]
    late = client.get("/alliances/jjj/plans/2028/actual/?on=2028-03-01").context["figures"]

    assert [row["number"] for row in early if row["key"] == "overdue"] == [0]
    assert [row["number"] for row in late if row["key"] == "overdue"] == [1]
    assert [row["number"] for row in late if row["key"] == "planned"] == [4]


PATHS = [
    "/",
    "/calendar/?month=2028-05",
    "/plans/",
    "/alliances/",
    "/alliances/jjj/",
    "/members/",
    "/events/",
    "/events/?time=undated",
    "/reminders/",
    "/connect/",
    "/alliances/jjj/plans/2028/",
    "/alliances/jjj/plans/2028/?view=table",
    "/alliances/jjj/plans/2028/actual/",
]


@pytest.mark.parametrize("path", PATHS)
def test_pages_ask_as_often_with_one_row_as_with_thirty(cast: Cast, published, path: str):
    client = as_viewer(cast.secretary)
    add_rows(cast, published, 1)
    client.get(path)  # what is looked up once in ten seconds is known from here on
    few = count_queries(client, path)
    add_rows(cast, published, 30)
    client.get(path)
    many = count_queries(client, path)

    assert many == few


def add_rows(cast: Cast, plan, number: int) -> None:
    area = plan.work_areas.first()
    for row in range(number):
        day = date(2028, 5, 1) + timedelta(days=row % 28)
        item = make_line(
            plan, f"会{number}-{row}", window(str(day)), work_area=area, hosts=(cast.host,),
            reason="增补",
        )  # fmt: skip
        event = Event.objects.select_related("alliance", "plan").get(plan_item=item)
        schedule_event(event, span(f"{day}T09:30", f"{day}T12:00"), viewer=SYSTEM, at=AT)
        invite_organizations(event, [cast.member, cast.host], viewer=SYSTEM, at=AT)


@pytest.mark.parametrize(
    "path",
    [
        "/events/?q=%00&alliance=%00&after=%00&time=%00&state=%00",
        "/calendar/?alliance=%00&month=%00",
        "/calendar/?month=2200-12",
        "/calendar/?month=1990-01",
        "/members/?alliance=%00",
        "/alliances/jjj/?on=2028-02-30",
        "/alliances/jjj/?on=9999-12-31",
        "/alliances/jjj/plans/2028/?view=%00&state=%00",
        "/alliances/jjj/plans/2028/actual/?on=0001-01-01&what=%00",
        "/alliances/jjj/plans/2028/editions/?from=%00&to=%00",
        "/plans/?lang=%00",
    ],
)
def test_pages_with_nonsense_in_the_query_answer(cast: Cast, published, path: str):
    assert as_viewer(cast.public).get(path).status_code == 200
