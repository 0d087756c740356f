"""Pages of events: reading, each verb as a form, and two people saving the same event."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.changes.models import Change
from events.inviting import answer_invitation, invite_organizations
from events.models import Duty, Event, EventState, Invitation, Material
from events.owing import set_duty
from events.scheduling import confirm_event, revise_event, schedule_event
from tests.factories import AT, Cast, make_event, make_plan, span, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

TIME = {
    "starts": "2028-05-16T09:30",
    "ends": "2028-05-16T12:00",
    "time_zone": "Asia/Shanghai",
}


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    if viewer.user_id is not None:
        client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def act(client: Client, event: Event, name: str, **values):
    data = {f"{name}-{key}": value for key, value in values.items()}
    return client.post(f"/events/{event.uid}/{name}/", data)


@pytest.fixture
def secretary(cast: Cast) -> Client:
    return as_viewer(cast.secretary)


@pytest.fixture
def event(cast: Cast) -> Event:
    return make_event(cast.alliance, title_zh="走进天开园", audience="public")


def test_act_schedule_sets_the_time_and_returns_to_the_page(secretary, event):
    response = act(secretary, event, "schedule", version=event.version, **TIME)

    assert (response.status_code, response["Location"]) == (302, f"/events/{event.uid}/")
    assert stored(event).state == EventState.SCHEDULED
    assert stored(event).span == span("2028-05-16T09:30", "2028-05-16T12:00")


def test_act_schedule_all_day_counts_the_last_day(secretary, event):
    values = TIME | {"ends": "2028-05-18T00:00", "all_day": "on"}

    act(secretary, event, "schedule", version=event.version, **values)

    assert stored(event).span == span("2028-05-16T00:00", "2028-05-19T00:00", is_all_day=True)


def test_act_schedule_with_an_end_before_the_start_keeps_what_was_typed(secretary, event):
    response = act(secretary, event, "schedule", **TIME | {"ends": "2028-05-16T08:00"})

    assert response.status_code == 422
    page = response.content.decode()
    assert 'value="2028-05-16T08:00"' in page
    assert 'id="do-schedule" open' in page
    assert response.context["acts"][0].form.errors.keys() == {"ends"}
    assert stored(event).state == EventState.PLANNED


def test_act_schedule_in_the_hour_the_clocks_skip_says_so_at_the_start(secretary, event):
    values = {"starts": "2028-03-26T02:30", "ends": "2028-03-26T03:15"}
    response = act(secretary, event, "schedule", **values, time_zone="Europe/Madrid")
    errors = response.context["acts"][0].form.errors

    assert response.status_code == 422
    assert errors.keys() == {"starts"}
    assert all(word in errors["starts"][0] for word in ("Europe/Madrid", "02:30", "03:30"))
    assert stored(event).state == EventState.PLANNED


def test_act_confirm_confirms(secretary, event):
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)

    act(secretary, event, "confirm", version=event.version)

    assert stored(event).state == EventState.CONFIRMED


def test_act_on_a_version_gone_by_changes_nothing_and_says_so(secretary, event):
    version = event.version
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)
    confirm_event(event, viewer=SYSTEM, at=AT)

    response = act(secretary, event, "cancel", version=version, reason="场地")

    assert response.status_code == 422
    assert stored(event).state == EventState.CONFIRMED


def test_act_postpone_without_a_time_keeps_the_old_one_on_the_page(secretary, event):
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)

    act(secretary, event, "postpone", reason="场地调整", time_zone="Asia/Shanghai")

    page = secretary.get(f"/events/{event.uid}/").content.decode()
    assert stored(event).state == EventState.POSTPONED
    assert "场地调整" in page
    assert "<del>2028年5月16日 周二 09:30–12:00</del>" in page


def test_act_cancel_without_a_reason_asks_for_it(secretary, event):
    response = act(secretary, event, "cancel", version=event.version, reason=" ")

    assert response.status_code == 422
    assert stored(event).state == EventState.PLANNED


def test_act_conclude_records_the_outcome(secretary, event):
    schedule_event(event, span("2028-03-30T09:30", "2028-03-30T12:00"), viewer=SYSTEM, at=AT)

    act(secretary, event, "conclude", outcome_zh="签约三项", attendance="86")

    held = stored(event)
    assert (held.state, held.outcome_zh, held.attendance) == (EventState.HELD, "签约三项", 86)


def test_act_that_does_not_exist_is_not_found(secretary, event):
    assert secretary.post(f"/events/{event.uid}/explode/").status_code == 404


@pytest.mark.parametrize("name", ["schedule", "confirm", "cancel", "invite", "attach"])
def test_act_by_a_member_is_refused_and_changes_nothing(cast: Cast, event, name):
    before = Change.objects.count()
    values = TIME | {"reason": "x", "organizations": cast.member.pk}

    response = act(as_viewer(cast.member_liaison), event, name, **values)

    # Forms whose own fields are wrong answer 422; a right that is missing answers 403.
    assert response.status_code in (403, 422)
    assert Change.objects.count() == before


def test_act_by_the_public_leads_to_signing_in(cast: Cast, event):
    response = act(as_viewer(cast.public), event, "cancel", reason="x")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_act_on_an_invisible_event_is_not_found(cast: Cast):
    hidden = make_event(cast.alliance, audience="secretariat")

    response = act(as_viewer(cast.member_liaison), hidden, "cancel", reason="x")

    assert response.status_code == 404


def test_act_attach_keeps_the_document_for_members(cast: Cast, secretary, event):
    file = SimpleUploadedFile("议程.pdf", b"%PDF-1.7 agenda")

    act(secretary, event, "attach", file=file, openness="members")

    material = Material.objects.get(event=event)
    path = f"/materials/{material.uid}/1/"
    response = as_viewer(cast.member_liaison).get(path)
    assert b"".join(response.streaming_content) == b"%PDF-1.7 agenda"
    assert response["Content-Disposition"].startswith("attachment")
    assert as_viewer(cast.public).get(path).status_code == 404


def test_answer_by_the_invited_organization_is_recorded(cast: Cast, event):
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)
    invitation = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)[0]
    data = {
        f"answer-{invitation.uid}-state": "accepted",
        f"answer-{invitation.uid}-delegates": "2",
    }

    response = as_viewer(cast.member_liaison).post(f"/invitations/{invitation.uid}/answer/", data)

    assert response.status_code == 302
    assert Invitation.objects.get().state == "accepted"
    other = as_viewer(cast.outside_liaison).post(f"/invitations/{invitation.uid}/answer/", data)
    assert other.status_code == 404


def test_answer_without_a_choice_shows_the_form_again(cast: Cast, event):
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)
    invitation = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)[0]

    response = as_viewer(cast.member_liaison).post(f"/invitations/{invitation.uid}/answer/", {})

    assert response.status_code == 422
    assert Invitation.objects.get().state == "needs_action"


def hidden_fields(text: str, prefix: str) -> dict[str, str]:
    found = re.findall(rf'name="({prefix}-\w+)" value="([^"]*)"', text)
    return {name: value for name, value in found if name.endswith(("-version", "-sequence"))}


def test_answer_to_a_page_opened_before_is_refused_once_and_shows_what_is_so_now(
    cast: Cast, event: Event
) -> None:
    schedule_event(event, span("2028-05-16T09:30", "2028-05-16T12:00"), viewer=SYSTEM, at=AT)
    invitation = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)[0]
    prefix, path = f"answer-{invitation.uid}", f"/invitations/{invitation.uid}/answer/"
    client = as_viewer(cast.member_liaison)
    opened = hidden_fields(client.get(f"/events/{event.uid}/").content.decode(), prefix)
    said = {f"{prefix}-state": "accepted"}

    moved = span("2028-05-23T14:00", "2028-05-23T17:30")
    schedule_event(stored(event), moved, viewer=SYSTEM, at=AT)
    first = client.post(path, opened | said)
    shown = hidden_fields(first.content.decode(), prefix)
    answer_invitation(stored(invitation), state="declined", viewer=cast.secretary, at=AT)
    second = client.post(path, shown | said)
    shown = hidden_fields(second.content.decode(), prefix)
    third = client.post(path, shown | said)

    assert [one.status_code for one in (first, second, third)] == [422, 422, 302]
    assert Invitation.objects.get().state == "accepted"


def test_fulfil_by_the_organization_that_owes_it_marks_it_done(cast: Cast, event):
    duty = set_duty(event, cast.member, kind="name_delegates", due_at=AT, viewer=SYSTEM, at=AT)

    as_viewer(cast.member_liaison).post(f"/duties/{duty.uid}/done/")

    assert Duty.objects.get().done_at is not None
    page = as_viewer(cast.member_liaison).get(f"/events/{event.uid}/").content.decode()
    assert f"/duties/{duty.uid}/reopen/" in page
    assert f"/duties/{duty.uid}/done/" not in page

    as_viewer(cast.member_liaison).post(f"/duties/{duty.uid}/reopen/")

    assert Duty.objects.get().done_at is None


def form_of(client: Client, event: Event) -> dict[str, str]:
    form = client.get(f"/events/{event.uid}/edit/").context["form"]
    values = {field.name: field.value() for field in form}
    return {
        name: getattr(value, "pk", value)
        for name, value in values.items()
        if value not in (None, "", [])
    }


def test_edit_saves_the_words(secretary, event):
    data = form_of(secretary, event) | {"place_zh": "天开园", "other_hosts": "秘书处；天津科技局"}

    response = secretary.post(f"/events/{event.uid}/edit/", data)

    assert response.status_code == 302
    saved = stored(event)
    assert saved.place_zh == "天开园"
    assert [host.name for host in saved.hosts.all()] == ["秘书处", "天津科技局"]


def test_edit_by_the_second_of_two_shows_both_versions_and_keeps_what_was_typed(secretary, event):
    mine = form_of(secretary, event) | {"place_zh": "天开园"}
    revise_event(event, viewer=SYSTEM, at=AT, place_zh="滨海")

    response = secretary.post(f"/events/{event.uid}/edit/", mine)

    form = response.context["form"]
    assert response.status_code == 409
    assert [(row.saved, row.typed) for row in form.differences] == [("滨海", "天开园")]
    assert form["place_zh"].value() == "天开园"
    assert stored(event).place_zh == "滨海"

    again = secretary.post(
        f"/events/{event.uid}/edit/", mine | {"version": form["version"].value()}
    )

    assert again.status_code == 302
    assert stored(event).place_zh == "天开园"


def test_edit_without_a_title_says_so_at_the_field(secretary, event):
    data = form_of(secretary, event) | {"title_zh": "", "title_en": ""}

    response = secretary.post(f"/events/{event.uid}/edit/", data)

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"title_zh"}
    assert stored(event).title_zh == "走进天开园"


def test_edit_by_a_member_is_refused(cast: Cast, event):
    assert as_viewer(cast.member_liaison).get(f"/events/{event.uid}/edit/").status_code == 403


def test_new_makes_an_event_of_a_plan_with_its_time(cast: Cast, secretary):
    plan = make_plan(cast.alliance)
    data = TIME | {
        "title_zh": "专题研讨",
        "plan": plan.pk,
        "format": "onsite",
        "audience": "members",
        "hosts": [cast.host.pk],
    }

    response = secretary.post(f"/events/new/?plan={plan.uid}", data)

    made = Event.objects.get(title_zh="专题研讨")
    assert response["Location"] == f"/events/{made.uid}/"
    assert (made.plan, made.state) == (plan, EventState.SCHEDULED)
    assert [host.organization for host in made.hosts.all()] == [cast.host]


def test_new_for_the_only_alliance_of_a_secretariat_goes_on_at_once(secretary):
    assert secretary.get("/events/new/")["Location"] == "/events/new/?alliance=jjj"


def test_new_of_another_alliance_is_refused(secretary):
    assert secretary.get("/events/new/?alliance=dongbei").status_code == 403
    assert secretary.get("/events/new/?alliance=nowhere").status_code == 404


def test_detail_shows_both_clocks_where_they_differ(cast: Cast, event):
    schedule_event(event, span("2028-07-04T09:30", "2028-07-04T11:30"), viewer=SYSTEM, at=AT)
    user = User.objects.get(pk=cast.stranger.user_id)
    user.time_zone = "Europe/Zurich"
    user.save()

    page = as_viewer(cast.stranger).get(f"/events/{event.uid}/").content.decode()

    assert "2028年7月4日 周二 09:30–11:30" in page
    assert "2028年7月4日 周二 03:30–05:30" in page
    assert "Europe/Zurich，UTC+2" in page


def test_detail_keeps_the_online_link_and_the_notes_inside(cast: Cast):
    event = make_event(
        cast.alliance, audience="public", online_url="https://meet.example/1", notes="内部安排"
    )
    path = f"/events/{event.uid}/"

    seen = {
        name: (
            "meet.example" in as_viewer(viewer).get(path).content.decode(),
            "内部安排" in as_viewer(viewer).get(path).content.decode(),
        )
        for name, viewer in {
            "secretary": cast.secretary,
            "member": cast.member_liaison,
            "outsider": cast.outside_liaison,
            "public": cast.public,
        }.items()
    }

    assert seen == {
        "secretary": (True, True),
        "member": (True, False),
        "outsider": (False, False),
        "public": (False, False),
    }


def test_events_goes_on_where_the_page_before_ended(cast: Cast, secretary):
    for number in range(51):
        day = date(2028, 5, 1 + number % 28)
        made = make_event(cast.alliance, title_zh=f"会{number}")
        schedule_event(made, span(f"{day}T09:00", f"{day}T10:00"), viewer=SYSTEM, at=AT)

    first = secretary.get("/events/")
    second = secretary.get(f"/events/?after={first.context['after']}")

    uids = [line.uid for page in (first, second) for line in page.context["lines"]]
    assert (len(first.context["lines"]), len(second.context["lines"])) == (50, 1)
    assert len(set(uids)) == 51
    assert second.context["after"] is None


@pytest.mark.parametrize("query", ["time=past", "time=undated", "state=late", "state=held", "q=天"])
def test_events_with_any_filter_answers(secretary, event, query):
    assert secretary.get(f"/events/?{query}&after=nonsense").status_code == 200
