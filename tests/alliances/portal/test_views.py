"""An alliance set up through pages; members, bodies, seats."""

from datetime import date

import pytest
from django.test import Client

from alliances.models import Alliance, Body, Membership, Organization, Seat
from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer
from coordination.changes.models import Change
from tests.factories import Cast, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

FUJIAN = {
    "slug": "fujian",
    "kind": "high_tech_zone",
    "name_zh": "福建高新区联盟",
    "time_zone": "Asia/Shanghai",
}


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    if viewer.user_id is not None:
        client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def test_new_sets_an_alliance_up_with_its_secretariat(cast: Cast):
    client = as_viewer(cast.superuser)

    response = client.post("/alliances/new/", FUJIAN)

    assert response["Location"] == "/alliances/fujian/"
    made = Alliance.objects.get(slug="fujian")
    assert [body.kind for body in made.bodies.all()] == ["secretariat"]
    assert client.get("/alliances/fujian/").status_code == 200


def test_new_with_a_taken_address_says_so_at_the_field(cast: Cast):
    response = as_viewer(cast.superuser).post("/alliances/new/", FUJIAN | {"slug": "jjj"})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"slug"}
    assert Alliance.objects.count() == 2


def test_new_without_a_name_says_so_at_the_field(cast: Cast):
    response = as_viewer(cast.superuser).post("/alliances/new/", FUJIAN | {"name_zh": ""})

    assert response.context["form"].errors.keys() == {"name_zh"}


def test_new_by_a_secretary_is_refused(cast: Cast):
    assert as_viewer(cast.secretary).post("/alliances/new/", FUJIAN).status_code == 403


def test_edit_by_the_second_of_two_shows_both_versions(cast: Cast):
    client = as_viewer(cast.secretary)
    form = client.get("/alliances/jjj/edit/").context["form"]
    data = {field.name: field.value() for field in form if field.value() is not None}
    client.post("/alliances/jjj/edit/", data | {"source": "first"})

    response = client.post("/alliances/jjj/edit/", data | {"source": "second"})

    assert response.status_code == 409
    shown = [(row.saved, row.typed) for row in response.context["form"].differences]
    assert shown == [("first", "second")]
    assert stored(cast.alliance).source == "first"


def test_admit_a_new_organization_registers_and_admits_it(cast: Cast):
    data = {
        "name_zh": "厦门高新区",
        "kind": "zone",
        "country": "cn",
        "role": "member",
        "starts_on": "2028-03-01",
    }

    response = as_viewer(cast.secretary).post("/alliances/jjj/members/new/", data)

    assert response.status_code == 302
    membership = Membership.objects.get(organization__name_zh="厦门高新区")
    assert (membership.alliance, membership.starts_on) == (cast.alliance, date(2028, 3, 1))
    assert membership.organization.country == "CN"


def test_admit_who_is_a_member_already_changes_nothing(cast: Cast):
    before = Change.objects.count()
    data = {"organization": cast.member.pk, "role": "member", "starts_on": "2028-03-01"}

    response = as_viewer(cast.secretary).post("/alliances/jjj/members/new/", data)

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"starts_on"}
    assert Change.objects.count() == before


def test_admit_a_known_name_as_new_points_to_the_known_one(cast: Cast):
    data = {
        "name_zh": str(cast.outside),
        "kind": "zone",
        "country": "CN",
        "role": "member",
        "starts_on": "2028-03-01",
    }

    response = as_viewer(cast.secretary).post("/alliances/jjj/members/new/", data)

    assert response.context["form"].errors.keys() == {"name_zh"}
    assert Organization.objects.count() == 3


def test_admit_nobody_asks_for_one(cast: Cast):
    data = {"role": "member", "starts_on": "2028-03-01"}

    response = as_viewer(cast.secretary).post("/alliances/jjj/members/new/", data)

    assert response.context["form"].errors.keys() == {"organization"}


def test_membership_ends_with_a_reason(cast: Cast):
    membership = Membership.objects.get(alliance=cast.alliance, organization=cast.member)
    data = {"do": "end", "end-on": "2028-04-01", "end-reason": "合并"}

    response = as_viewer(cast.secretary).post(f"/memberships/{membership.uid}/", data)

    assert response.status_code == 302
    ended = stored(membership)
    assert (ended.ends_on, ended.end_reason) == (date(2028, 4, 1), "合并")


def test_membership_revised_takes_tier_and_role(cast: Cast):
    membership = Membership.objects.get(alliance=cast.alliance, organization=cast.member)
    data = {
        "do": "revise",
        "revise-role": "vice_chair",
        "revise-tier": "national",
        "revise-starts_on": str(membership.starts_on),
    }

    as_viewer(cast.secretary).post(f"/memberships/{membership.uid}/", data)

    revised = stored(membership)
    assert (revised.role, revised.tier) == ("vice_chair", "national")


def test_membership_by_another_secretariat_is_refused(cast: Cast):
    membership = Membership.objects.get(alliance=cast.alliance, organization=cast.member)

    response = as_viewer(cast.other_secretary).get(f"/memberships/{membership.uid}/")

    assert response.status_code == 403


def test_new_body_adds_it(cast: Cast):
    data = {"kind": "expert_committee", "name_zh": "专家委员会", "term_years": "3"}

    as_viewer(cast.secretary).post("/alliances/jjj/bodies/new/", data)

    body = Body.objects.get(kind="expert_committee")
    assert (body.alliance, body.term_years) == (cast.alliance, 3)


def test_seat_gives_a_new_person_a_seat_for_a_member(cast: Cast):
    data = {
        "name_zh": "王琳",
        "role": "liaison",
        "organization": cast.member.pk,
        "starts_on": "2028-03-01",
    }

    response = as_viewer(cast.secretary).post("/alliances/jjj/seats/new/", data)

    assert response.status_code == 302
    seat = Seat.objects.get(person__details__name_zh="王琳")
    assert (seat.organization, seat.role) == (cast.member, "liaison")


def test_seat_in_nothing_leaves_no_person_behind(cast: Cast):
    before = Change.objects.count()
    data = {"name_zh": "王琳", "role": "liaison", "starts_on": "2028-03-01"}

    response = as_viewer(cast.secretary).post("/alliances/jjj/seats/new/", data)

    assert response.status_code == 422
    assert Change.objects.count() == before


def test_members_and_organization_show_to_everyone_without_people(cast: Cast):
    client = as_viewer(cast.public)

    assert str(cast.member) in client.get("/members/?alliance=jjj").content.decode()
    page = client.get(f"/members/{cast.member.uid}/").content.decode()
    assert ("京津冀" in page or str(cast.alliance) in page, 'id="h-seats"' in page) == (True, False)
    inside = as_viewer(cast.secretary).get(f"/members/{cast.member.uid}/").content.decode()
    assert 'id="h-seats"' in inside


@pytest.mark.parametrize(
    "path", ["members/new/", "bodies/new/", "seats/new/", "plans/new/", "edit/"]
)
def test_forms_of_an_alliance_are_for_its_secretariat(cast: Cast, path: str):
    answers = {
        name: as_viewer(viewer).get(f"/alliances/jjj/{path}").status_code
        for name, viewer in cast.viewers().items()
    }

    allowed = {"superuser": 200, "secretary": 200, "public": 302}
    assert answers == {name: allowed.get(name, 403) for name in answers}
