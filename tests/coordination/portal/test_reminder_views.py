import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.models import ReminderRule
from events.reminding import add_reminder_rule
from tests.factories import AT, Cast, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def test_reminders_adds_a_rule_to_a_plan(cast: Cast):
    plan = make_plan(cast.alliance)
    data = {"plan": plan.pk, "days": "7", "audience": ["hosts", "members"]}

    response = as_viewer(cast.secretary).post("/reminders/", data)

    assert response.status_code == 302
    rule = ReminderRule.objects.get()
    assert (rule.plan, rule.offset, rule.audience) == (plan, "-P7D", ["hosts", "members"])


@pytest.mark.parametrize(
    ("data", "field"),
    [({}, "alliance"), ({"days": "0"}, "days"), ({"days": "x"}, "days"), ({"plan": "9"}, "plan")],
)
def test_reminders_with_wrong_input_says_so_at_the_field(cast: Cast, data, field):
    response = as_viewer(cast.secretary).post("/reminders/", {"audience": "hosts", **data})

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert ReminderRule.objects.count() == 0


def test_reminders_by_a_liaison_cannot_be_added(cast: Cast):
    client = as_viewer(cast.member_liaison)

    assert client.get("/reminders/").context["form"] is None
    assert client.post("/reminders/", {"days": "7"}).status_code == 403


def test_remove_takes_a_rule_out_of_use_for_its_own_secretariat_only(cast: Cast):
    rule = add_reminder_rule(cast.alliance, offset="-P1D", viewer=SYSTEM, at=AT)
    path = f"/reminders/{rule.uid}/remove/"

    assert as_viewer(cast.other_secretary).post(path).status_code == 404
    assert as_viewer(cast.secretary).post(path).status_code == 302
    assert as_viewer(cast.secretary).get("/reminders/").context["rules"] == []
