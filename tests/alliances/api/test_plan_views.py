"""Plans, lines and editions in the API."""

import pytest
from django.test import Client

from alliances.models import PlanItem
from tests.alliances.api.test_views import items, patch, post
from tests.factories import Cast, make_line, make_plan, make_work_area, window


def test_plan_lives_from_draft_to_the_next_year(cast: Cast, client: Client, client_of):
    secretary = client_of(cast.secretary)
    plan = post(secretary, "plans/", {"alliance": "jjj", "year": 2028, "title": "Plan 2028"})
    assert (plan["slug"], plan["state"], plan["starts_on"]) == ("2028", "draft", "2028-01-01")
    base = f"plans/{plan['uid']}/"
    area = post(secretary, f"{base}work-areas/", {"name_i18n": {"zh": "产业协同"}})
    assert (area["position"], area["color"]) == (1, 1)
    line = post(
        secretary,
        f"{base}items/",
        {
            "title_i18n": {"zh": "走进天津天开园"},
            "work_area": area["uid"],
            "window_text": "5月中旬",
            "hosts": [{"name": "滨海", "organization": str(cast.host.uid)}, {"name": "市科委"}],
        },
    )
    assert line["window"] == {
        "text": "5月中旬",
        "start": "2028-05-11",
        "end": "2028-05-20",
        "precision": "ten_days",
    }
    assert line["hosts"] == [
        {"name": "滨海", "organization": str(cast.host.uid)},
        {"name": "市科委", "organization": None},
    ]
    assert items(client, "plans/?alliance=jjj") == []
    adopted = post(secretary, f"{base}adopt/", {"document_number": "〔2028〕1号"}, 200)
    assert (adopted["state"], adopted["edition"]) == ("adopted", 1)
    post(secretary, f"{base}publish/", {}, 200)
    assert [one["uid"] for one in items(client, f"{base}items/")] == [line["uid"]]
    problem = patch(secretary, f"{base}items/{line['uid']}/", {"window_text": "6月"}, 400)
    assert problem["errors"][0]["pointer"] == "/reason"
    moved = {"window_text": "6月", "reason": "hall is taken"}
    assert patch(secretary, f"{base}items/{line['uid']}/", moved)["window"]["start"] == "2028-06-01"
    following = post(secretary, "plans/", {"alliance": "jjj", "year": 2029, "title": "Plan 2029"})
    carried = post(secretary, f"{base}carry-over/", {"into": following["uid"]}, 200)
    new = items(secretary, f"plans/{following['uid']}/items/")
    assert [one["uid"] for one in new] == carried["carried"]
    assert new[0]["carried_from"] == line["uid"]
    assert post(secretary, f"{base}close/", {"reason": "year is over"}, 200)["state"] == "closed"


def test_editions_are_compared_line_by_line(cast: Cast, client_of):
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    moved = make_line(plan, "moved", window("2028-05-10"), work_area=area)
    dropped = make_line(plan, "dropped", window("2028-06-10"))
    secretary = client_of(cast.secretary)
    base = f"plans/{plan.uid}/"
    post(secretary, f"{base}adopt/", {}, 200)
    patch(
        secretary,
        f"{base}items/{moved.uid}/",
        {"window_text": "9月", "reason": "hall is taken"},
    )
    etag = secretary.get(f"/api/v1/{base}items/{dropped.uid}/")["ETag"]
    gone = secretary.delete(
        f"/api/v1/{base}items/{dropped.uid}/?reason=no%20money", headers={"If-Match": etag}
    )
    assert gone.status_code == 204
    post(secretary, f"{base}items/", {"title": "added", "reason": "wanted"})
    post(secretary, f"{base}adopt/", {}, 200)
    answer = secretary.get(f"/api/v1/{base}compare/?from=1&to=2").json()
    assert (answer["from"], answer["to"]) == (1, 2)
    assert [(one["change"], one["reason"]) for one in answer["changes"]] == [
        ("moved", "hall is taken"),
        ("new", "wanted"),
        ("dropped", "no money"),
    ]
    first = answer["changes"][0]
    assert first["before"]["window"]["start"] == "2028-05-10"
    assert first["after"]["work_area_i18n"]["zh"] == "产业协同"
    lines = secretary.get(f"/api/v1/{base}editions/1/lines/").json()
    assert [one["title"] for one in lines["lines"]] == ["moved", "dropped"]
    assert [one["number"] for one in items(secretary, f"{base}editions/")] == [1, 2]
    assert secretary.get(f"/api/v1/{base}editions/2/").json()["state"] == "adopted"


@pytest.mark.parametrize(
    ("query", "name"), [("", "from"), ("?from=1&to=9", "to"), ("?from=x", "from")]
)
def test_comparison_with_what_is_not_there_names_the_parameter(
    cast: Cast, client_of, query: str, name: str
):
    plan = make_plan(cast.alliance, state="adopted")
    response = client_of(cast.secretary).get(f"/api/v1/plans/{plan.uid}/compare/{query}")
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == name


def test_line_given_by_windows_keeps_them(cast: Cast, client_of):
    plan = make_plan(cast.alliance)
    line = post(
        client_of(cast.secretary),
        f"plans/{plan.uid}/items/",
        {
            "title": "twice",
            "windows": [
                {
                    "start": "2028-05-16",
                    "end": "2028-05-16",
                    "precision": "day",
                    "start_time": "09:30",
                },
                {"precision": "unknown"},
            ],
        },
    )
    assert line["occurrences"] == 2
    assert line["windows"][0] == {
        "start": "2028-05-16",
        "end": "2028-05-16",
        "precision": "day",
        "start_time": "09:30",
        "end_time": None,
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x", "window_text": "2月30日"}, "/window_text"),
        ({"title": "x", "window_text": "5月20日—5月10日"}, "/window_text"),
        ({"title": "x", "hosts": [{}]}, "/hosts/0/name"),
        ({"title": "x" * 201}, "/title"),
        ({}, "/title_i18n/zh"),
        ({"title": "x", "windows": []}, "/windows"),
        (
            {"title": "x", "windows": [{"start": "2028-05-16", "precision": "day"}]},
            "/windows/0/end",
        ),
    ],
)
def test_line_that_cannot_be_taken_names_the_field(cast: Cast, client_of, body, pointer):
    plan = make_plan(cast.alliance)
    problem = post(client_of(cast.secretary), f"plans/{plan.uid}/items/", body, 400)
    assert [error["pointer"] for error in problem.get("errors", [])] in ([pointer], [""])
    assert not PlanItem.objects.exists()


def test_work_area_of_another_plan_is_refused(cast: Cast, client_of):
    plan, other = make_plan(cast.alliance), make_plan(cast.alliance, year=2029)
    area = make_work_area(other)
    body = {"title": "x", "work_area": str(area.uid)}
    problem = post(client_of(cast.secretary), f"plans/{plan.uid}/items/", body, 400)
    assert problem["errors"][0]["pointer"] == "/work_area"


def test_lines_are_filtered_by_area_host_days_and_dropped(cast: Cast, client_of):
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    make_line(plan, "may", window("2028-05-10"), work_area=area)
    make_line(plan, "june", window("2028-06-10"), hosts=(cast.host,))
    secretary = client_of(cast.secretary)

    def titles(query: str) -> list[str]:
        return [one["title"] for one in items(secretary, f"plans/{plan.uid}/items/?{query}")]

    assert titles(f"work_area={area.uid}") == ["may"]
    assert titles(f"organization={cast.host.uid}") == ["june"]
    assert titles("from=2028-06-01") == ["june"]
    assert titles("to=2028-05-31") == ["may"]
    assert titles("from=2028-06-10&to=2028-06-10") == ["june"]
    assert titles("dropped=true") == []
    assert titles("dropped=false&ordering=-position") == ["june", "may"]


def test_lines_of_a_window_that_ends_before_it_begins_are_refused_with_both_ends(
    cast: Cast, client_of
):
    plan = make_plan(cast.alliance)
    query = "from=2028-06-02&to=2028-06-01"
    response = client_of(cast.secretary).get(f"/api/v1/plans/{plan.uid}/items/?{query}")

    assert response.status_code == 400
    assert [error["parameter"] for error in response.json()["errors"]] == ["from", "to"]


@pytest.mark.parametrize("rows", [1, 30])
def test_list_of_lines_takes_the_same_queries_for_one_and_thirty(
    cast: Cast, client: Client, django_assert_num_queries, rows: int
):
    plan = make_plan(cast.alliance)
    for number in range(rows):
        make_line(plan, f"line {number}", hosts=(cast.host,))
    from tests.factories import advance_plan

    advance_plan(plan)
    with django_assert_num_queries(5):  # revisions twice, the plan, the lines, their hosts
        assert len(items(client, f"plans/{plan.uid}/items/")) == rows


@pytest.mark.parametrize("year", ["2028.5", "NaN", "1e3", "-1", "9" * 40, "二〇二八"])
def test_plans_of_a_year_that_is_no_year_are_400(cast: Cast, client: Client, year: str):
    response = client.get("/api/v1/plans/", {"year": year})
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "year"
