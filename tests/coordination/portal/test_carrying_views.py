import pytest
from django.test import Client

from alliances.models import PlanItem
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.concluding import conclude_event
from events.models import Event
from events.scheduling import schedule_event
from tests.conftest import NOW
from tests.factories import AT, Cast, make_line, make_plan, span, window

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

PATH = "/alliances/jjj/plans/2029/carry-over/"


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


@pytest.fixture
def plans(cast: Cast):
    old = make_plan(cast.alliance)
    make_line(old, "已办的会", window("2028-03-01"))
    make_line(old, "没办的会", window("2028-03-02"), hosts=(cast.host,))
    held = Event.objects.select_related("alliance", "plan").get(title_zh="已办的会")
    schedule_event(held, span("2028-03-01T09:00", "2028-03-01T10:00"), viewer=SYSTEM, at=AT)
    conclude_event(held, viewer=SYSTEM, at=NOW)
    return old, make_plan(cast.alliance, year=2029)


def test_carry_over_offers_only_what_is_unfinished(cast: Cast, plans):
    form = as_viewer(cast.secretary).get(f"{PATH}?from=2028").context["form"]

    assert [item.title_zh for item in form.fields["items"].queryset] == ["没办的会"]


def test_carry_over_makes_a_line_that_remembers_where_it_came_from(cast: Cast, plans):
    old, new = plans
    item = old.items.get(title_zh="没办的会")

    response = as_viewer(cast.secretary).post(f"{PATH}?from=2028", {"items": [item.pk]})

    assert response["Location"] == "/alliances/jjj/plans/2029/"
    carried = PlanItem.objects.get(plan=new)
    assert (carried.title_zh, carried.carried_from, carried.starts_on) == ("没办的会", item, None)
    assert [host.organization for host in carried.hosts.all()] == [cast.host]


def test_carry_over_of_nothing_or_of_what_is_held_changes_nothing(cast: Cast, plans):
    old, new = plans
    held = old.items.get(title_zh="已办的会")
    client = as_viewer(cast.secretary)

    assert client.post(f"{PATH}?from=2028", {}).status_code == 422
    assert client.post(f"{PATH}?from=2028", {"items": [held.pk]}).status_code == 422
    assert PlanItem.objects.filter(plan=new).count() == 0


def test_carry_over_without_a_plan_to_take_from_asks_for_one(cast: Cast, plans):
    response = as_viewer(cast.secretary).get(f"{PATH}?from=nonsense")

    assert (response.status_code, response.context["form"]) == (200, None)
    assert as_viewer(cast.other_secretary).get(PATH).status_code == 404
