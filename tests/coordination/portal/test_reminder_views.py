import pytest
from django.test import Client

from alliances.joining import revise_membership
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.models import Reminder, ReminderRule
from events.reminding import add_reminder_rule
from tests.factories import AT, Cast, make_event, make_plan, make_work_area, span

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

FILLED = {
    "distance": "7", "unit": "days", "side": "before", "anchor": "start", "clock": "event",
    "workdays_of": "alliance", "repeat_unit": "days", "repeat_while": "always",
    "last_unit": "days", "last_side": "before", "repeat_times": "5",
    "audience": ["hosts"], "channels": ["email"], "urgency": "normal", "respects_quiet": "on",
    "quiet_from": "22:00", "quiet_until": "07:00", "min_useful_minutes": "60",
    "grace_minutes": "1440", "rearm_on_move": "on", "enabled": "on",
}  # fmt: skip


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def test_reminders_adds_a_rule_to_a_plan(cast: Cast):
    plan = make_plan(cast.alliance)
    data = FILLED | {"plan": plan.pk, "audience": ["hosts", "members"]}

    response = as_viewer(cast.secretary).post("/reminders/", data)

    assert response.status_code == 302
    rule = ReminderRule.objects.get()
    assert (rule.plan, rule.offset, rule.audience) == (plan, "-P7D", ["hosts", "members"])


def test_reminders_adds_a_rule_to_an_area_of_work(cast: Cast):
    area = make_work_area(make_plan(cast.alliance))
    foreign = make_work_area(make_plan(cast.other))
    client = as_viewer(cast.secretary)

    offered = [
        str(label)
        for _value, label in client.get("/reminders/").context["form"]["work_area"].field.choices
    ]
    refused = client.post("/reminders/", FILLED | {"work_area": foreign.pk})
    both = client.post("/reminders/", FILLED | {"work_area": area.pk, "plan": area.plan_id})
    added = client.post("/reminders/", FILLED | {"work_area": area.pk})

    assert offered[1:] == ["2028年工作计划 · 产业协同"]
    assert [one.status_code for one in (refused, both, added)] == [422, 422, 302]
    assert [rule.work_area for rule in ReminderRule.objects.all()] == [area]


def test_reminders_shows_every_rule_page_by_page(cast: Cast):
    event = make_event(cast.alliance)
    for day in range(1, 62):
        add_reminder_rule(
            event, offset=f"-P{day}D", audience=["hosts"], channels=["email"], viewer=SYSTEM, at=AT
        )
    client = as_viewer(cast.secretary)

    first, second = (client.get("/reminders/", {"page": page}) for page in ("", "2"))

    assert [len(page.context["rules"]) for page in (first, second)] == [60, 1]
    assert second.context["rules"][0]["origin"] == "活动“项目对接会”"
    assert 'href="?page=2"' in first.content.decode()
    assert 'href="?page=1"' in second.content.decode()


def test_reminders_offers_the_tiers_that_members_have_by_their_names(cast: Cast):
    membership = cast.alliance.memberships.get(organization=cast.member)
    revise_membership(membership, tier="national", viewer=SYSTEM, at=AT)
    client, data = as_viewer(cast.secretary), FILLED | {"plan": make_plan(cast.alliance).pk}

    form = client.get("/reminders/").context["form"]
    client.post("/reminders/", data | {"tiers": ["national"]})
    unknown = client.post("/reminders/", data | {"tiers": ["国家级"]})

    assert [(value, str(label)) for value, label in form.fields["tiers"].choices] == [
        ("national", "国家级")
    ]
    assert unknown.status_code == 422
    assert ReminderRule.objects.get().tiers == ["national"]


def test_rule_that_the_form_cannot_show_whole_keeps_what_was_not_touched(cast: Cast):
    whole = {
        "offset": "-P1DT2H",
        "repeat_every": "PT6H",
        "tiers": ["省 级"],
        "repeat_until": "-PT3H",
    }
    membership = cast.alliance.memberships.get(organization=cast.member)
    revise_membership(membership, tier="省 级", viewer=SYSTEM, at=AT)
    made = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, repeat_times=9, **whole)
    client, path = as_viewer(cast.secretary), f"/reminders/{made.uid}/"
    make_event(cast.alliance, scheduled=True)
    shown = {
        name: value
        for name, value in client.get(path).context["form"].initial.items()
        if value not in (None, "", False) and name != "organizations"
    }

    tried = client.post(path, shown | {"do": "try"})
    client.post(path, shown | {"do": "save", "text_zh": "请准时"})
    kept = ReminderRule.objects.get()
    client.post(path, shown | {"do": "save", "distance": "2", "version": kept.version})

    assert len(tried.context["preview"].times) == 4
    assert {name: getattr(kept, name) for name in whole} == whole
    assert kept.text_zh == "请准时"
    assert ReminderRule.objects.get().offset == "-P2D"


def test_rule_repeats_until_the_day_that_is_given_and_says_so(cast: Cast):
    client, data = as_viewer(cast.secretary), FILLED | {"alliance": cast.alliance.pk}
    client.post("/reminders/", data | {"repeat_distance": "2", "last_distance": "1"})
    rule = ReminderRule.objects.get()
    path = f"/reminders/{rule.uid}/"
    page = client.get(path)
    shown = FILLED | {"repeat_distance": "2", "do": "save"}

    client.post(path, shown | {"last_distance": "0", "version": rule.version})
    until_it_begins = ReminderRule.objects.get()
    late = client.post(path, shown | {"last_distance": "30", "version": until_it_begins.version})
    client.post(path, shown | {"last_distance": "", "version": until_it_begins.version})

    assert (rule.repeat_every, rule.repeat_until) == ("P2D", "-P1D")
    assert page.context["form"]["last_distance"].initial == 1
    assert "最晚" in page.context["words"]
    assert until_it_begins.repeat_until == "P0D"
    assert (late.status_code, list(late.context["form"].errors)) == (422, ["last_distance"])
    assert ReminderRule.objects.get().repeat_until == ""


def test_rule_repeats_by_the_hour_and_past_the_end_as_its_page_shows(cast: Cast):
    client, data = as_viewer(cast.secretary), FILLED | {"alliance": cast.alliance.pk}
    after = {"distance": "1", "unit": "hours", "side": "after", "anchor": "end"}
    hourly = {"repeat_distance": "6", "repeat_unit": "hours", "last_distance": "2"}

    client.post("/reminders/", data | after | hourly | {"last_side": "after"})
    rule = ReminderRule.objects.get()
    path = f"/reminders/{rule.uid}/"
    initial = client.get(path).context["form"].initial
    shown = FILLED | after | hourly | {"last_side": "after", "do": "save"}
    client.post(path, shown | {"repeat_unit": "days", "version": rule.version})

    assert (rule.repeat_every, rule.repeat_until) == ("PT6H", "P2D")
    assert {name: initial[name] for name in (*hourly, "last_unit", "last_side")} == {
        "repeat_distance": 6, "repeat_unit": "hours",
        "last_distance": 2, "last_unit": "days", "last_side": "after",
    }  # fmt: skip
    assert ReminderRule.objects.get().repeat_every == "P6D"


def test_rule_keeps_a_chosen_organization_that_is_no_member(cast: Cast):
    uids = sorted(str(one.uid) for one in (cast.outside, cast.member))
    made = add_reminder_rule(
        cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D", audience=["chosen"], organizations=uids
    )
    client, path = as_viewer(cast.secretary), f"/reminders/{made.uid}/"
    field = client.get(path).context["form"]["organizations"]
    ticked = [row.pk for row in field.initial if row in field.field.queryset]

    shown = FILLED | {"audience": ["chosen"], "organizations": ticked}
    client.post(path, shown | {"do": "save", "text_zh": "请准时"})

    rule = ReminderRule.objects.get()
    assert (rule.version, rule.organizations) == (2, uids)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "alliance"),
        ({"distance": "-1"}, "distance"),
        ({"distance": "x"}, "distance"),
        ({"distance": ""}, "distance"),
        ({"plan": "9"}, "plan"),
        ({"text_zh": "{nobody}"}, "text_zh"),
    ],
)
def test_reminders_with_wrong_input_says_so_at_the_field(cast: Cast, data, field):
    response = as_viewer(cast.secretary).post(
        "/reminders/", FILLED | {"plan": make_plan(cast.alliance).pk} | data if data else FILLED
    )

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert ReminderRule.objects.count() == 0


def test_reminders_by_a_liaison_cannot_be_added(cast: Cast):
    client = as_viewer(cast.member_liaison)

    page = client.get("/reminders/")
    assert page.context["form"] is None
    assert 'href="/me/wishes/"' in page.content.decode()
    assert client.post("/reminders/", FILLED).status_code == 403


def test_remove_takes_a_rule_out_of_use_for_its_own_secretariat_only(cast: Cast):
    rule = add_reminder_rule(cast.alliance, offset="-P1D", viewer=SYSTEM, at=AT)
    path = f"/reminders/{rule.uid}/remove/"

    assert as_viewer(cast.other_secretary).post(path).status_code == 404
    assert as_viewer(cast.secretary).post(path).status_code == 302
    assert as_viewer(cast.secretary).get("/reminders/").context["rules"] == []


def test_rule_is_changed_and_tried_out_before_it_is_saved(cast: Cast):
    made = add_reminder_rule(cast.alliance, offset="-P1D", viewer=SYSTEM, at=AT)
    make_event(cast.alliance, scheduled=True, title_zh="对接会", title_en="Matchmaking")
    client, path = as_viewer(cast.secretary), f"/reminders/{made.uid}/"
    own = {"text_zh": "{name}，请准备{title}。", "text_en": "Prepare {title}, {name}."}

    tried = client.post(path, FILLED | own | {"do": "try", "audience": ["members"]})

    letters = dict(tried.context["letters"])
    assert "请准备对接会。" in letters["中文"].text
    assert "Prepare Matchmaking," in letters["English"].text
    assert len(tried.context["preview"].readers) == 2
    assert ReminderRule.objects.get().offset == "-P1D"

    saved = client.post(path, FILLED | own | {"do": "save", "unit": "working", "distance": "5"})

    assert saved.status_code == 302
    rule = ReminderRule.objects.get()
    assert (rule.offset, rule.day_unit, rule.text_en) == ("-P5D", "working", own["text_en"])
    assert as_viewer(cast.member_liaison).get(path).status_code == 404


def test_rule_is_tried_out_on_the_event_of_which_it_reminds_next(cast: Cast):
    made = add_reminder_rule(cast.alliance, offset="-P7D", viewer=SYSTEM, at=AT)
    for title, day in (("太近", 2), ("正好", 12), ("还早", 20)):
        make_event(
            cast.alliance,
            title_zh=title,
            span=span(f"2028-04-{day:02}T09:30", f"2028-04-{day:02}T12:00"),
        )
    client, path = as_viewer(cast.secretary), f"/reminders/{made.uid}/"

    shown = client.get(path).context
    [near, *_others] = shown["events"]
    assert [event.title_zh for event in shown["events"]] == ["太近", "正好", "还早"]
    assert shown["chosen"].title_zh == "正好"
    assert client.get(path, {"event": near.uid}).context["chosen"] == near

    month = FILLED | {"do": "try", "distance": "30", "audience": ["members"]}
    assert client.post(path, month).context["chosen"].title_zh == "太近"


def test_event_rules_show_their_origin_and_silence_one(cast: Cast):
    plan = make_plan(cast.alliance)
    outer = add_reminder_rule(plan, offset="-P1D", viewer=SYSTEM, at=AT)
    event = make_event(cast.alliance, plan=plan, scheduled=True)
    client, path = as_viewer(cast.secretary), f"/reminders/events/{event.uid}/"

    [row] = client.get(path).context["rows"]
    assert (row["holds"], row["is_own"]) == (True, False)
    assert "2028" in row["origin"]

    assert client.post(f"{path}silence/{outer.uid}/").status_code == 302
    rows = client.get(path).context["rows"]
    assert [(row["holds"], row["is_own"]) for row in rows] == [(False, False), (False, True)]
    assert not Reminder.objects.filter(event=event, state="pending").exists()

    assert client.post(f"/reminders/{rows[1]['rule'].uid}/remove/?event").status_code == 302
    assert [row["holds"] for row in client.get(path).context["rows"]] == [True]
    assert Reminder.objects.filter(event=event, state="pending").count() == 1
    assert as_viewer(cast.member_liaison).get(path).status_code == 404


def test_rule_that_does_not_stand_over_the_event_is_neither_silenced_nor_replaced(cast: Cast):
    event = make_event(cast.alliance, scheduled=True)
    away = add_reminder_rule(make_plan(cast.alliance), offset="-P1D", viewer=SYSTEM, at=AT)
    client, path = as_viewer(cast.secretary), f"/reminders/events/{event.uid}/"
    sentence = "No rule holds here yet. Leave this out, and it is a rule of its own."
    english = {"Accept-Language": "en"}
    User.objects.filter(username="secretary").update(language="en")

    silenced = client.post(f"{path}silence/{away.uid}/", follow=True, headers=english)
    added = client.post(path, FILLED | {"overrides": str(away.uid)}, headers=english)

    assert [str(message) for message in silenced.context["messages"]] == [sentence]
    assert (added.status_code, added.context["form"].errors) == (422, {"joins": [sentence]})
    assert ReminderRule.objects.count() == 1


def test_silence_a_rule_for_chosen_organizations_twice_leaves_it_silent_once(cast: Cast):
    event = make_event(cast.alliance, scheduled=True)
    outer = add_reminder_rule(
        cast.alliance, offset="-P7D", audience=["chosen"], organizations=[str(cast.host.uid)],
        viewer=SYSTEM, at=AT,
    )  # fmt: skip
    client, path = as_viewer(cast.secretary), f"/reminders/events/{event.uid}/silence/{outer.uid}/"

    assert [client.post(path).status_code for _n in range(2)] == [302, 302]

    own = ReminderRule.objects.get(event=event)
    assert (own.overrides, own.enabled) == (outer, False)
    assert set(Reminder.objects.values_list("state", flat=True)) == {"cancelled"}
    assert as_viewer(cast.member_liaison).post(path).status_code in (403, 404)
