"""Seats are handed over or ended, and work areas renamed or removed, through pages."""

import pytest
from django.test import Client

from alliances.models import Person, Seat, WorkArea
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.models import Event
from events.scheduling import draft_event
from tests.conftest import NOW
from tests.factories import AT, Cast, make_person, make_plan, make_work_area, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

TODAY = NOW.date().isoformat()


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


@pytest.fixture
def secretary(cast: Cast) -> Client:
    return as_viewer(cast.secretary)


@pytest.fixture
def seat(cast: Cast) -> Seat:
    found: Seat = Seat.objects.get(organization=cast.member)
    return found


def hand(client: Client, seat: Seat, **values):
    data = {"do": "hand_over", "hand-version": seat.version, "hand-on": TODAY}
    return client.post(f"/seats/{seat.uid}/", data | values)


def test_seat_is_handed_to_somebody_new_with_role_and_organization(cast, secretary, seat):
    assert f'href="/seats/{seat.uid}/"' in (
        secretary.get(f"/members/{cast.member.uid}/").content.decode()
    )

    response = hand(secretary, seat, **{"hand-name_zh": "李继任", "hand-email": "li@b.example"})

    assert response["Location"] == f"/members/{cast.member.uid}/"
    assert stored(seat).ends_on == NOW.date()
    new = Seat.objects.exclude(pk=seat.pk).get(organization=cast.member)
    assert (new.role, new.starts_on, new.person.details.name_zh, new.person.details.email) == (
        "liaison",
        NOW.date(),
        "李继任",
        "li@b.example",
    )


def test_seat_is_handed_to_somebody_known_without_another_name(cast, secretary, seat):
    deputy = make_person("deputy", role="deputy", organization=cast.member)
    people = Person.objects.count()

    hand(secretary, seat, **{"hand-successor": deputy.pk})

    assert Person.objects.count() == people
    assert Seat.objects.filter(organization=cast.member, person=deputy, role="liaison").exists()


def test_seat_without_a_successor_asks_for_a_name_and_keeps_what_was_typed(secretary, seat):
    response = hand(secretary, seat, **{"hand-email": "li@b.example"})

    assert response.status_code == 422
    assert response.context["hand_over"].errors.keys() == {"name_zh"}
    assert 'value="li@b.example"' in response.content.decode()
    assert stored(seat).ends_on is None


def test_seat_is_ended_with_a_reason(cast, secretary, seat):
    data = {"do": "end", "end-version": seat.version, "end-on": TODAY, "end-reason": "调离"}

    response = secretary.post(f"/seats/{seat.uid}/", data)

    assert response["Location"] == f"/members/{cast.member.uid}/"
    assert stored(seat).ends_on == NOW.date()


def test_seat_of_another_member_is_not_a_liaison_officers_to_hand_over(cast, seat):
    client = as_viewer(cast.host_liaison)

    assert hand(client, seat, **{"hand-name_zh": "某人"}).status_code == 403
    assert "/seats/" not in client.get(f"/members/{cast.member.uid}/").content.decode()
    assert stored(seat).ends_on is None


def test_seat_in_a_body_leads_back_to_the_alliance(cast, secretary):
    seat = Seat.objects.get(body__kind="council", role="chair")
    assert f'href="/seats/{seat.uid}/"' in secretary.get("/alliances/jjj/").content.decode()

    assert hand(secretary, seat, **{"hand-name_zh": "新主席"})["Location"] == "/alliances/jjj/"


def test_work_area_is_renamed_and_its_page_found_from_the_plan(cast, secretary):
    plan = make_plan(cast.alliance)
    area = make_work_area(plan, "产业协作")
    event = draft_event(cast.alliance, title_zh="会", work_area=area, viewer=SYSTEM, at=AT)
    manage = f"/alliances/jjj/plans/{plan.slug}/manage/"
    assert f'href="/work-areas/{area.uid}/"' in secretary.get(manage).content.decode()

    data = {"version": area.version, "name_zh": "产业协同", "name_en": "Industry"}
    response = secretary.post(f"/work-areas/{area.uid}/", data)

    assert response["Location"] == manage
    assert stored(area).name_zh == "产业协同"
    assert Event.objects.get(pk=event.pk).work_area == area


def test_work_area_saved_second_shows_both_names(cast, secretary):
    area = make_work_area(make_plan(cast.alliance), "产业协作")
    version = area.version
    secretary.post(f"/work-areas/{area.uid}/", {"version": version, "name_zh": "甲"})

    response = secretary.post(f"/work-areas/{area.uid}/", {"version": version, "name_zh": "乙"})

    assert response.status_code == 409
    [difference] = response.context["revise"].differences
    assert (difference.saved, difference.typed) == ("甲", "乙")


def test_work_area_in_which_an_event_stands_is_not_removed(cast, secretary):
    area = make_work_area(make_plan(cast.alliance), "产业协作")
    draft_event(cast.alliance, title_zh="会", work_area=area, viewer=SYSTEM, at=AT)

    response = secretary.post(f"/work-areas/{area.uid}/", {"do": "remove", "version": area.version})

    assert response.status_code == 422
    assert WorkArea.objects.filter(pk=area.pk).exists()


def test_work_area_that_is_empty_is_removed(cast, secretary):
    area = make_work_area(make_plan(cast.alliance), "多余的")

    secretary.post(f"/work-areas/{area.uid}/", {"do": "remove", "version": area.version})

    assert not WorkArea.objects.filter(pk=area.pk).exists()


def test_work_area_of_another_alliance_is_not_found(cast):
    area = make_work_area(make_plan(cast.alliance), "产业协作")

    assert as_viewer(cast.other_secretary).get(f"/work-areas/{area.uid}/").status_code == 404


def test_seat_ended_on_no_day_keeps_the_reason_typed(secretary, seat):
    data = {"do": "end", "end-version": seat.version, "end-on": "明天", "end-reason": "调离"}

    response = secretary.post(f"/seats/{seat.uid}/", data)

    assert response.status_code == 422
    assert response.context["end"].errors.keys() == {"on"}
    assert 'value="调离"' in response.content.decode()
    assert stored(seat).ends_on is None
