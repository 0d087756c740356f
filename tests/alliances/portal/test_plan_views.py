"""A plan through pages: opened, lined, adopted, changed, compared, published, closed."""

import pytest
from django.test import Client

from alliances.drafting import Line, revise_item
from alliances.models import Edition, Plan, PlanItem
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.models import Event
from tests.factories import AT, Cast, make_line, make_plan, make_work_area, stored, window

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

PLAN = "/alliances/jjj/plans/2028/"


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


@pytest.fixture
def secretary(cast: Cast) -> Client:
    return as_viewer(cast.secretary)


def test_a_plan_is_opened_lined_adopted_and_published_through_pages(cast: Cast, secretary):
    opened = secretary.post(
        "/alliances/jjj/plans/new/",
        {
            "kind": "annual",
            "year": "2028",
            "title_zh": "2028年计划",
            "target_number": "24",
            "work_areas": "搭建平台\n\n产业协作\n",
        },
    )
    assert opened["Location"] == PLAN
    plan = Plan.objects.get()
    areas = list(plan.work_areas.all())
    assert [(area.name_zh, area.color) for area in areas] == [("搭建平台", 1), ("产业协作", 2)]

    lined = secretary.post(
        f"{PLAN}lines/new/",
        {
            "number": "1",
            "work_area": areas[0].pk,
            "title_zh": "季度例会",
            "window_text": "每季度末",
            "hosts": f"{cast.host}；某单位",
        },
    )
    assert lined["Location"] == PLAN
    item = PlanItem.objects.get()
    assert item.occurrences == 4
    assert [host.organization for host in item.hosts.all()] == [cast.host, None]
    assert Event.objects.filter(plan_item=item).count() == 4

    secretary.post(f"{PLAN}manage/", {"do": "adopt", "on": "2028-03-31"})
    assert stored(plan).state == "adopted"
    secretary.post(f"{PLAN}manage/", {"do": "publish"})
    assert stored(plan).state == "published"
    assert Client().get(PLAN).status_code == 200


def test_new_item_with_an_impossible_time_says_so_at_the_field(cast: Cast, secretary):
    make_plan(cast.alliance)

    response = secretary.post(f"{PLAN}lines/new/", {"title_zh": "会", "window_text": "2月30日"})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"window_text"}
    assert PlanItem.objects.count() == 0


def test_edit_item_of_an_adopted_plan_asks_for_the_reason(cast: Cast, secretary):
    plan = make_plan(cast.alliance, state="adopted")
    item = plan.items.get()
    data = {"title_zh": item.title_zh, "window_text": "6月", "version": item.version}

    refused = secretary.post(f"/lines/{item.uid}/edit/", data)

    assert refused.status_code == 422
    assert refused.context["form"].errors.keys() == {"reason"}
    assert stored(item).starts_on == item.starts_on

    taken = secretary.post(f"/lines/{item.uid}/edit/", data | {"reason": "档期冲突"})

    assert taken.status_code == 302
    assert str(stored(item).starts_on) == "2028-06-01"
    assert Edition.objects.filter(plan=plan, state="draft").count() == 1


def test_edit_item_by_the_second_of_two_shows_both_versions(cast: Cast, secretary):
    item = make_line(make_plan(cast.alliance), "研讨", window("2028-05-14"))
    version = item.version
    revise_item(item, Line(values={"title_zh": "研讨会"}), viewer=SYSTEM, at=AT)

    response = secretary.post(f"/lines/{item.uid}/edit/", {"title_zh": "座谈", "version": version})

    assert response.status_code == 409
    rows = response.context["form"].differences
    assert [(row.saved, row.typed) for row in rows] == [("研讨会", "座谈")]
    assert stored(item).title_zh == "研讨会"


def test_drop_item_of_an_adopted_plan_keeps_it_as_dropped(cast: Cast, secretary):
    plan = make_plan(cast.alliance, state="adopted")
    item = plan.items.get()

    response = secretary.post(f"/lines/{item.uid}/drop/", {"on": "2028-03-31", "reason": "经费"})

    assert response["Location"] == PLAN
    assert str(stored(item).dropped_on) == "2028-03-31"
    assert "经费" in secretary.get(f"/lines/{item.uid}/").content.decode()


def test_drop_item_of_a_draft_deletes_it(cast: Cast, secretary):
    item = make_line(make_plan(cast.alliance), "研讨")

    response = secretary.post(f"/lines/{item.uid}/drop/", {"on": "2028-03-31"})

    assert response.status_code == 302
    assert PlanItem.objects.count() == 0


def test_editions_compares_the_last_two_with_reason(cast: Cast, secretary):
    plan = make_plan(cast.alliance, state="adopted")
    item = plan.items.get()
    data = {"title_zh": item.title_zh, "window_text": "6月", "reason": "档期冲突"}
    secretary.post(f"/lines/{item.uid}/edit/", data)
    secretary.post(f"{PLAN}lines/new/", {"title_zh": "新会", "reason": "增补"})
    plan = stored(plan)
    secretary.post(f"{PLAN}manage/", {"do": "adopt", "on": "2028-03-31"})

    response = secretary.get(f"{PLAN}editions/")

    assert [(row["kind"], row["reason"]) for row in response.context["changes"]] == [
        ("moved", "档期冲突"),
        ("new", "增补"),
    ]
    assert response.context["counts"] == {"moved": 1, "new": 1}


@pytest.mark.parametrize("query", ["", "?from=1&to=1", "?from=x&to=9"])
def test_editions_of_a_single_edition_says_that_there_is_nothing(cast: Cast, secretary, query):
    make_plan(cast.alliance, state="adopted")

    response = secretary.get(f"{PLAN}editions/{query}")

    assert (response.status_code, response.context["changes"]) == (200, [])


def test_manage_with_a_version_gone_by_changes_nothing(cast: Cast, secretary):
    plan = make_plan(cast.alliance, state="adopted")

    response = secretary.post(f"{PLAN}manage/", {"do": "publish", "version": plan.version - 1})

    assert response.status_code == 409
    assert stored(plan).state == "adopted"


def test_manage_adds_a_work_area_and_closes(cast: Cast, secretary):
    plan = make_plan(cast.alliance, state="published")
    make_work_area(plan, "甲")

    secretary.post(f"{PLAN}manage/", {"do": "area", "name_zh": "乙"})
    assert [area.name_zh for area in plan.work_areas.all()] == ["甲", "乙"]
    secretary.post(f"{PLAN}manage/", {"do": "close"})
    assert stored(plan).state == "closed"
    assert "forms" in secretary.get(f"{PLAN}manage/").context


def test_manage_without_lines_refuses_to_adopt(cast: Cast, secretary):
    plan = make_plan(cast.alliance)

    response = secretary.post(f"{PLAN}manage/", {"do": "adopt", "on": "2028-03-31"})

    assert response.status_code == 422
    assert stored(plan).state == "draft"


def test_lines_of_a_draft_are_not_found_by_members(cast: Cast):
    item = make_line(make_plan(cast.alliance), "研讨")
    client = as_viewer(cast.member_liaison)

    assert [
        client.get(f"/lines/{item.uid}/{rest}").status_code for rest in ("", "edit/", "drop/")
    ] == [
        404,
        404,
        404,
    ]
