"""The house rules of lists, objects and changes, on resources of the alliances."""

from datetime import date

import pytest
from django.test import Client

from alliances.models import Alliance, Membership, WorkArea
from coordination.changes.models import Change
from tests.factories import Cast, make_event, make_organization, make_plan, make_work_area

PROBLEM = "application/problem+json"
EN = {"Accept-Language": "en"}


def names_of(problem: dict) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]


def test_list_of_the_public_shows_items_and_no_next_page(cast: Cast, client: Client):
    response = client.get("/api/v1/alliances/", headers=EN)
    assert response.status_code == 200
    body = response.json()
    assert body["next"] is None
    assert [(row["slug"], row["name"], row["name_i18n"]) for row in body["items"]] == [
        ("jjj", "Alliance jjj", {"zh": "联盟jjj", "en": "Alliance jjj"}),
        ("dongbei", "Alliance dongbei", {"zh": "联盟dongbei", "en": "Alliance dongbei"}),
    ]
    assert response["Content-Language"] == "en"
    assert "Link" not in response


def test_address_without_its_last_slash_answers_without_redirect(cast: Cast, client: Client):
    assert client.get("/api/v1/alliances").status_code == 200
    assert client.get("/api/v1/alliances/jjj").json()["slug"] == "jjj"


def test_pages_follow_next_until_every_item_was_seen_once(cast: Cast, client: Client):
    for number in range(7):
        make_organization(f"单位{number}")
    seen, address, pages = [], "/api/v1/organizations/?limit=3&ordering=-name_zh", 0
    while address:
        response = client.get(address)
        body = response.json()
        seen += [item["name_i18n"]["zh"] for item in body["items"]]
        assert response.headers.get("Link") == (
            f'<{body["next"]}>; rel="next"' if body["next"] else None
        )
        address, pages = body["next"], pages + 1
    assert pages == 4
    assert len(set(seen)) == len(seen) == 10
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("sign", ["", "-"])
def test_pages_show_items_without_a_value_last_in_either_direction(
    cast: Cast, client_of, sign: str
):
    plan = make_plan(cast.alliance)
    secretary = client_of(cast.secretary)
    for day in ("2028-05-02", None, "2028-05-01", None, "2028-05-03"):
        body = {"title": "line", "window_text": day or "待定"}
        response = secretary.post(
            f"/api/v1/plans/{plan.uid}/items/", body, content_type="application/json"
        )
        assert response.status_code == 201, response.json()
    seen, address = [], f"/api/v1/plans/{plan.uid}/items/?limit=2&ordering={sign}starts_on"
    while address:
        body = secretary.get(address).json()
        seen += [item["window"]["start"] for item in body["items"]]
        address = body["next"]
    days = sorted(["2028-05-01", "2028-05-02", "2028-05-03"], reverse=sign == "-")
    assert seen == [*days, None, None]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("ordering=secret", "ordering"),
        ("kind=planet", "kind"),
        ("nosuch=1", "nosuch"),
        ("lang=fr", "lang"),
    ],
)
def test_list_with_a_bad_parameter_names_it(cast: Cast, client: Client, query: str, name: str):
    response = client.get(f"/api/v1/alliances/?{query}", headers=EN)
    assert response.status_code == 400
    assert response["Content-Type"] == PROBLEM
    problem = response.json()
    assert [error["parameter"] for error in problem["errors"]] == [name]
    assert name in problem["detail"]


def test_cursor_of_another_ordering_is_refused(cast: Cast, client: Client):
    following = client.get("/api/v1/alliances/?limit=1").json()["next"]
    response = client.get(f"{following}&ordering=slug")
    assert response.status_code == 400
    assert response.json()["errors"][0]["parameter"] == "cursor"


def test_unchanged_list_costs_one_query_and_is_304(
    cast: Cast, client: Client, django_assert_num_queries
):
    etag = client.get("/api/v1/alliances/")["ETag"]
    with django_assert_num_queries(1):
        response = client.get("/api/v1/alliances/", headers={"If-None-Match": etag})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
    with django_assert_num_queries(1):
        assert client.get("/api/v1/alliances/").status_code == 200


def test_list_has_another_tag_after_a_change_and_in_another_language(
    cast: Cast, client: Client, client_of
):
    first = client.get("/api/v1/alliances/")["ETag"]
    assert client.get("/api/v1/alliances/", headers=EN)["ETag"] != first
    secretary = client_of(cast.secretary)
    etag = secretary.get("/api/v1/alliances/jjj/")["ETag"]
    secretary.patch(
        "/api/v1/alliances/jjj/",
        {"website": "https://example.org"},
        content_type="application/merge-patch+json",
        headers={"If-Match": etag},
    )
    response = client.get("/api/v1/alliances/", headers={"If-None-Match": first})
    assert response.status_code == 200
    assert response.json()["items"][0]["website"] == "https://example.org"


def test_object_has_a_strong_tag_of_version_and_bytes(cast: Cast, client: Client):
    chinese = client.get("/api/v1/alliances/jjj/")
    english = client.get("/api/v1/alliances/jjj/", headers=EN)
    assert chinese["ETag"].startswith('"1-')
    assert english["ETag"].startswith('"1-')
    assert chinese["ETag"] != english["ETag"]
    again = client.get("/api/v1/alliances/jjj/", headers={"If-None-Match": chinese["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/api/v1/alliances/jjj/", "/api/v1/alliances/"])
def test_read_of_another_version_than_stands_there_is_412(cast: Cast, client: Client, path: str):
    etag = client.get(path, headers=EN)["ETag"]
    for wanted in (etag, f'"x", {etag}', "*"):
        assert client.get(path, headers=EN | {"If-Match": wanted}).status_code == 200
        copy = client.get(path, headers=EN | {"If-Match": wanted, "If-None-Match": etag})
        assert copy.status_code == 304
    for wanted in ('"x"', f"W/{etag}", "junk"):
        response = client.get(path, headers=EN | {"If-Match": wanted, "If-None-Match": etag})
        problem = response.json()
        assert (response.status_code, response["Content-Type"]) == (412, PROBLEM)
        assert (problem["code"], problem["current_etag"]) == ("precondition_failed", etag)
        assert client.head(path, headers=EN | {"If-Match": wanted}).status_code == 412


def test_object_that_is_not_there_is_404(cast: Cast, client: Client):
    response = client.get("/api/v1/alliances/nosuch/", headers=EN)
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)
    assert response.json()["type"] == "/api/problems/not_found/"


def test_change_without_if_match_is_428_and_changes_nothing(cast: Cast, client_of):
    response = client_of(cast.secretary).patch(
        "/api/v1/alliances/jjj/", {"website": "https://a.example"}, content_type="application/json"
    )
    assert (response.status_code, response.json()["code"]) == (428, "precondition_required")
    assert Alliance.objects.get(slug="jjj").website == ""


@pytest.mark.parametrize("tag", ['"9-0123456789abcdef"', 'W/"1-0123456789abcdef"', "nonsense"])
def test_change_with_a_stale_tag_is_412_and_shows_both_versions(cast: Cast, client_of, tag: str):
    response = client_of(cast.secretary).patch(
        "/api/v1/alliances/jjj/",
        {"website": "https://a.example"},
        content_type="application/json",
        headers={"If-Match": tag},
    )
    problem = response.json()
    assert (response.status_code, problem["code"]) == (412, "stale_version")
    assert problem["mine"] == {"website": "https://a.example"}
    assert (problem["current"]["slug"], problem["current"]["version"]) == ("jjj", 1)
    assert problem["current_etag"].startswith('"1-')


def test_change_with_a_tag_of_another_language_is_taken(cast: Cast, client: Client, client_of):
    chinese = client.get("/api/v1/alliances/jjj/", headers={"Accept-Language": "zh"})["ETag"]
    response = client_of(cast.secretary).patch(
        "/api/v1/alliances/jjj/",
        {"name_i18n": {"en": "Changed"}},
        content_type="application/merge-patch+json",
        headers={"If-Match": chinese},
    )
    assert response.status_code == 200
    assert response.json()["name_i18n"] == {"zh": "联盟jjj", "en": "Changed"}
    assert response.json()["version"] == 2
    assert response["ETag"].startswith('"2-')


def test_merge_patch_with_null_clears_and_what_is_left_out_stays(cast: Cast, client_of):
    secretary = client_of(cast.secretary)

    def patch(body: dict) -> dict:
        etag = secretary.get("/api/v1/alliances/jjj/")["ETag"]
        response = secretary.patch(
            "/api/v1/alliances/jjj/",
            body,
            content_type="application/merge-patch+json",
            headers={"If-Match": etag},
        )
        assert response.status_code == 200, response.json()
        return response.json()

    patch({"founded_on": "2023-12-01", "website": "https://a.example"})
    shown = patch({"founded_on": None})
    assert (shown["founded_on"], shown["website"]) == (None, "https://a.example")
    assert patch({"website": None})["website"] == ""


def test_second_of_two_writers_is_refused_with_the_first_ones_change(cast: Cast, client_of):
    first, second = client_of(cast.secretary), client_of(cast.superuser)
    etag = first.get("/api/v1/alliances/jjj/")["ETag"]
    sent = {"content_type": "application/json", "headers": {"If-Match": etag}}
    assert first.patch("/api/v1/alliances/jjj/", {"source": "first"}, **sent).status_code == 200
    refused = second.patch("/api/v1/alliances/jjj/", {"source": "second"}, **sent)
    assert refused.status_code == 412
    assert refused.json()["current"]["source"] == "first"
    assert refused.json()["mine"] == {"source": "second"}
    assert Alliance.objects.get(slug="jjj").source == "first"


def test_create_answers_201_with_the_address_of_the_object(cast: Cast, client_of):
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/",
        {"slug": "new", "kind": "other", "name": "New one"},
        content_type="application/json",
    )
    assert response.status_code == 201, response.json()
    assert response["Location"] == "http://testserver/api/v1/alliances/new/"
    assert response.json()["name_i18n"] == {"zh": "", "en": "New one"}


def test_create_with_bad_fields_names_each_by_pointer(cast: Cast, client_of):
    before = Change.objects.count()
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/",
        {"slug": "No Good", "kind": "planet", "color": "red", "name_i18n": {"zh": 5}},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_field"
    assert names_of(response.json()) == ["/color"]
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/",
        {"slug": "No Good", "kind": "planet", "name_i18n": {"zh": 5}},
        content_type="application/json",
    )
    assert sorted(names_of(response.json())) == ["/kind", "/name_i18n/zh", "/slug"]
    assert Change.objects.count() == before


def test_create_refused_by_the_database_names_the_field(cast: Cast, client_of):
    response = client_of(cast.superuser).post(
        "/api/v1/alliances/",
        {"slug": "jjj", "kind": "other", "name": "Again"},
        content_type="application/json",
    )
    assert response.status_code == 400
    assert names_of(response.json()) == ["/slug"]


def test_change_by_nobody_is_401_with_a_challenge(cast: Cast, client: Client):
    response = client.post("/api/v1/alliances/", {}, content_type="application/json")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_change_by_a_member_is_403(cast: Cast, client_of):
    liaison = client_of(cast.member_liaison)
    etag = liaison.get("/api/v1/alliances/jjj/")["ETag"]
    response = liaison.patch(
        "/api/v1/alliances/jjj/",
        {"source": "me"},
        content_type="application/json",
        headers={"If-Match": etag},
    )
    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")


def test_token_without_the_scope_is_403_and_named(cast: Cast, client_of):
    reader = client_of(cast.secretary, "plans:read")
    assert reader.get("/api/v1/plans/").status_code == 200
    response = reader.post("/api/v1/plans/", {}, content_type="application/json")
    assert (response.status_code, response.json()["scope"]) == (403, "plans:write")
    assert reader.get("/api/v1/alliances/").json()["scope"] == "alliances:read"


def test_delete_needs_if_match_and_then_removes(cast: Cast, client_of):
    area = make_work_area(make_plan(cast.alliance))
    secretary = client_of(cast.secretary)
    address = f"/api/v1/plans/{area.plan.uid}/work-areas/{area.uid}/"
    assert secretary.delete(address).status_code == 428
    etag = secretary.get(address)["ETag"]
    response = secretary.delete(address, headers={"If-Match": etag})
    assert (response.status_code, response.content) == (204, b"")
    assert not WorkArea.objects.exists()


def test_plan_that_the_viewer_may_not_see_is_404_with_everything_under_it(cast: Cast, client_of):
    plan = make_plan(cast.alliance)
    assert client_of(cast.secretary).get(f"/api/v1/plans/{plan.uid}/").status_code == 200
    stranger = client_of(cast.other_secretary)
    for address in ("", "items/", "work-areas/", "editions/"):
        assert stranger.get(f"/api/v1/plans/{plan.uid}/{address}").status_code == 404
    response = stranger.post(
        f"/api/v1/plans/{plan.uid}/items/", {"title": "x"}, content_type="application/json"
    )
    assert response.status_code == 404


def test_list_of_members_on_a_day_answers_who_belonged(cast: Cast, client: Client):
    membership = Membership.objects.get(organization=cast.host)
    address = "/api/v1/memberships/?alliance=jjj&active_on="
    inside = client.get(f"{address}{membership.starts_on}").json()["items"]
    assert {item["organization"] for item in inside} == {str(cast.host.uid), str(cast.member.uid)}
    assert client.get(f"{address}{date(2026, 12, 31)}").json()["items"] == []


def test_transition_honours_if_match_where_it_is_given(cast: Cast, client_of):
    membership = Membership.objects.get(organization=cast.host)
    secretary = client_of(cast.secretary)
    address = f"/api/v1/memberships/{membership.uid}/end/"
    body = {"on": "2028-12-31", "reason": "moved"}
    stale = secretary.post(
        address, body, content_type="application/json", headers={"If-Match": '"7-0123456789abcdef"'}
    )
    assert stale.status_code == 412
    done = secretary.post(address, body, content_type="application/json")
    assert (done.status_code, done.json()["ends_on"]) == (200, "2028-12-31")
    again = secretary.post(address, body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "transition_not_allowed")


def test_method_that_is_not_offered_is_405_with_allow(cast: Cast, client_of):
    response = client_of(cast.secretary).put(
        "/api/v1/alliances/jjj/", {}, content_type="application/json"
    )
    assert response.status_code == 405
    assert {"GET", "PATCH"} <= set(response["Allow"].split(", "))


def test_format_that_is_not_offered_is_406_and_body_in_another_415(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    assert secretary.get("/api/v1/plans/", headers={"Accept": "text/csv"}).status_code == 406
    response = secretary.post("/api/v1/plans/", "a,b", content_type="text/csv")
    assert response.status_code == 415


def test_body_in_a_format_that_is_not_taken_is_415_and_names_those_that_are(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    event = make_event(cast.alliance)
    asked = [
        (secretary.post, "/api/v1/plans/"),
        (secretary.patch, "/api/v1/alliances/jjj/"),
        (secretary.post, f"/api/v1/events/{event.uid}/materials/"),
        (secretary.post, "/api/v1/plans/import/"),
    ]

    english = {"Accept-Language": "en", "If-Match": "*"}
    answers = [ask(path, "a,b", content_type="text/csv", headers=english) for ask, path in asked]

    assert [(answer.status_code, answer.json()["detail"]) for answer in answers] == [
        (415, "The formats taken here: application/json."),
        (415, "The formats taken here: application/merge-patch+json, application/json."),
        (415, "The formats taken here: multipart/form-data."),
        (415, "The formats taken here: multipart/form-data."),
    ]


def test_head_and_options_answer_without_a_body(cast: Cast, client: Client):
    head = client.head("/api/v1/alliances/")
    assert (head.status_code, head.content) == (200, b"")
    options = client.options("/api/v1/alliances/")
    assert (options.status_code, options["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")
