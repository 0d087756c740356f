"""Alliances, organizations, members, people and seats in the API."""

import pytest
from django.test import Client

from alliances.models import Alliance, Body, Membership, Organization, Person, Seat
from tests.factories import Cast, make_body, make_organization, make_person, viewer_of

JSON = "application/json"


def post(client: Client, address: str, body: dict, status: int = 201) -> dict:
    response = client.post(f"/api/v1/{address}", body, content_type=JSON)
    assert response.status_code == status, response.json()
    return response.json()


def patch(client: Client, address: str, body: dict, status: int = 200) -> dict:
    etag = client.get(f"/api/v1/{address}")["ETag"]
    response = client.patch(
        f"/api/v1/{address}", body, content_type=JSON, headers={"If-Match": etag}
    )
    assert response.status_code == status, response.json()
    return response.json()


def items(client: Client, address: str) -> list[dict]:
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == 200, response.json()
    return response.json()["items"]


def test_a_new_alliance_is_set_up_through_the_api(cast: Cast, client_of):
    admin = client_of(cast.superuser)
    post(admin, "alliances/", {"slug": "g100", "kind": "high_tech_zone", "name": "G100"})
    secretariat = Body.objects.get(alliance__slug="g100", kind="secretariat")
    person = post(admin, "people/", {"name_i18n": {"zh": "王秘书"}, "email": "w@example.org"})
    seat = post(
        admin,
        "seats/",
        {
            "person": person["uid"],
            "role": "staff",
            "body": str(secretariat.uid),
            "starts_on": "2028-01-01",
        },
    )
    assert (seat["alliance"], seat["person_name"], seat["organization"]) == ("g100", "王秘书", None)
    zone = post(admin, "organizations/", {"kind": "zone", "name": "Wuhan Zone", "aliases": ["WHZ"]})
    member = post(
        admin,
        "memberships/",
        {
            "alliance": "g100",
            "organization": zone["uid"],
            "role": "founding",
            "starts_on": "2028-04-01",
        },
    )
    assert (member["organization_name"], member["display_name"]) == ("Wuhan Zone", "Wuhan Zone")
    assert Alliance.objects.get(slug="g100").memberships.count() == 1


def test_alliance_address_stays(cast: Cast, client_of):
    problem = patch(client_of(cast.superuser), "alliances/jjj/", {"slug": "other"}, 400)
    assert problem["errors"][0]["pointer"] == "/slug"


def test_bodies_of_an_alliance_are_listed_and_added(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    body = post(
        secretary, "bodies/", {"alliance": "jjj", "kind": "expert_committee", "name": "Experts"}
    )
    patch(secretary, f"bodies/{body['uid']}/", {"term_years": 3})
    shown = items(secretary, "bodies/?alliance=jjj&kind=expert_committee")
    assert [(one["name"], one["term_years"], one["version"]) for one in shown] == [
        ("Experts", 3, 2)
    ]


def test_second_secretariat_is_refused(cast: Cast, client_of):
    body = {"alliance": "jjj", "kind": "secretariat", "name": "Another"}
    assert post(client_of(cast.secretary), "bodies/", body, 400)["code"] == "invalid_input"


def test_organization_is_found_by_an_alias_in_any_form(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    made = post(
        secretary,
        "organizations/",
        {"kind": "city", "name": "Deltebre", "country": "ES", "aliases": ["德尔特布雷"]},
    )
    assert made["aliases"] == ["德尔特布雷"]
    found = items(secretary, "organizations/?name=德尔特布雷")
    assert [one["uid"] for one in found] == [made["uid"]]
    assert [one["name"] for one in items(secretary, "organizations/?country=ES")] == ["Deltebre"]


def test_organizations_of_an_alliance_are_its_members(cast: Cast, client: Client):
    shown = {one["uid"] for one in items(client, "organizations/?alliance=dongbei")}
    assert shown == {str(cast.outside.uid)}


def test_merged_organization_names_the_one_that_stays(cast: Cast, client_of):
    twin = make_organization("天津滨海")
    answer = post(
        client_of(cast.superuser),
        f"organizations/{cast.host.uid}/merge/",
        {"merged": str(twin.uid), "reason": "the same zone"},
        200,
    )
    assert "天津滨海" in answer["aliases"]
    assert Organization.objects.get(pk=twin.pk).merged_into == cast.host


def test_membership_in_the_same_period_is_refused(cast: Cast, client_of):
    problem = post(
        client_of(cast.secretary),
        "memberships/",
        {"alliance": "jjj", "organization": str(cast.host.uid), "starts_on": "2028-01-01"},
        400,
    )
    assert problem["errors"][0]["pointer"] == "/starts_on"
    assert Membership.objects.filter(organization=cast.host).count() == 1


def test_membership_of_what_is_not_known_is_refused(cast: Cast, client_of):
    secretary = client_of(cast.secretary)
    body = {"alliance": "nosuch", "organization": "not a uid", "starts_on": "2028-01-01"}
    errors = post(secretary, "memberships/", body, 400)["errors"]
    assert sorted(error["pointer"] for error in errors) == ["/alliance", "/organization"]
    body["organization"] = "00000000-0000-4000-8000-000000000000"
    assert post(secretary, "memberships/", body, 400)["errors"][1]["code"] == "unknown"


def test_membership_of_another_alliance_is_403(cast: Cast, client_of):
    body = {"alliance": "jjj", "organization": str(cast.outside.uid), "starts_on": "2028-01-01"}
    assert post(client_of(cast.other_secretary), "memberships/", body, 403)["code"] == "not_allowed"


def test_membership_display_name_is_shown_in_place_of_the_own(cast: Cast, client_of):
    membership = Membership.objects.get(organization=cast.host)
    secretary = client_of(cast.secretary)
    address = f"memberships/{membership.uid}/"
    shown = patch(secretary, address, {"display_name_i18n": {"en": "Binhai"}})
    assert (shown["display_name"], shown["organization_name"]) == ("Binhai", "Tianjin Binhai Zone")


def test_chair_goes_round(cast: Cast, client_of):
    council = make_body(cast.alliance, kind="standing_council")
    secretary = client_of(cast.secretary)
    first = {
        "body": str(council.uid),
        "organization": str(cast.host.uid),
        "starts_on": "2028-01-01",
        "ends_on": "2029-01-01",
    }
    term = post(secretary, "chair-terms/", first)
    assert term["alliance"] == "jjj"
    second = {**first, "organization": str(cast.member.uid), "ends_on": "2030-01-01"}
    post(secretary, "chair-terms/", second, 400)
    post(secretary, "chair-terms/", {**second, "starts_on": "2029-01-01"})
    shown = items(secretary, f"chair-terms/?body={council.uid}&active_on=2029-01-01")
    assert [one["organization"] for one in shown] == [str(cast.member.uid)]
    patch(secretary, f"chair-terms/{term['uid']}/", {"ends_on": "2028-07-01"})


def test_contact_is_shown_to_those_who_manage_the_seat_alone(cast: Cast, client_of):
    person = Person.objects.get(user__username="liaison")
    secretary = client_of(cast.secretary)
    patch(secretary, f"people/{person.uid}/", {"email": "l@example.org", "phone": "+86 10 1"})

    def contact(viewer) -> tuple[str | None, str | None]:
        shown = {one["uid"]: one for one in items(client_of(viewer), "people/")}
        one = shown[str(person.uid)]
        assert client_of(viewer).get(f"/api/v1/people/{person.uid}/").json() == one
        return one["email"], one["phone"]

    known = ("l@example.org", "+86 10 1")
    assert contact(cast.secretary) == known
    assert contact(cast.member_liaison) == known
    assert contact(cast.superuser) == known
    assert contact(cast.host_liaison) == (None, None)
    assert contact(cast.observer) == (None, None)


def test_people_and_seats_are_unknown_to_the_public(cast: Cast, client: Client, client_of):
    assert items(client, "people/") == []
    assert items(client, "seats/") == []
    mine = items(client_of(cast.stranger), "people/")
    assert [one["name"] for one in mine] == ["stranger"]


def test_person_erased_has_no_name_but_keeps_the_seats(cast: Cast, client_of):
    person = make_person("leaving", role="liaison", organization=cast.member)
    secretary = client_of(cast.secretary)
    shown = post(secretary, f"people/{person.uid}/erase/", {"reason": "asked for it"}, 200)
    assert shown["name_i18n"] == {"zh": "", "en": ""}
    assert (shown["email"], shown["erased_at"] is None) == ("", False)
    seats = items(secretary, f"seats/?person={person.uid}")
    assert [one["person_name"] for one in seats] == [""]


def test_seat_is_handed_over(cast: Cast, client_of):
    successor = make_person("successor")
    seat = Seat.objects.get(person__user__username="liaison")
    secretary = client_of(cast.secretary)
    post(secretary, f"seats/{seat.uid}/hand-over/", {"successor": str(seat.person.uid)}, 400)
    admin = client_of(cast.superuser)
    new = post(
        admin,
        f"seats/{seat.uid}/hand-over/",
        {"successor": str(successor.uid), "on": "2028-04-01"},
    )
    assert (new["person"], new["starts_on"]) == (str(successor.uid), "2028-04-01")
    assert items(admin, f"seats/?person={seat.person.uid}")[0]["ends_on"] == "2028-04-01"


@pytest.mark.parametrize("both", [True, False])
def test_seat_for_both_or_neither_is_refused(cast: Cast, client_of, both: bool):
    person = Person.objects.get(user__username="secretary")
    body = {"person": str(person.uid), "role": "liaison", "starts_on": "2028-01-01"}
    if both:
        council = Body.objects.filter(alliance=cast.alliance, kind="council").get()
        body |= {"organization": str(cast.host.uid), "body": str(council.uid)}
    problem = post(client_of(cast.secretary), "seats/", body, 400)
    assert problem["errors"][0]["pointer"] == "/organization"


def test_seat_ended_today_is_over(cast: Cast, client_of):
    seat = Seat.objects.get(person__user__username="observer")
    done = post(client_of(cast.secretary), f"seats/{seat.uid}/end/", {}, 200)
    assert done["ends_on"] == "2028-03-31"
    assert viewer_of(seat.person).pks("observer", "alliance")
