from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from events.chasing import take_over_standard_chasing
from events.models import ChaseStep, Duty, Holiday, StandardDuty
from events.owing import set_duty
from tests.factories import AT, Cast, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
STEP = {
    "step-kind": "", "step-distance": "2", "step-unit": "working", "step-side": "after",
    "step-told": ["deputy"], "step-channels": ["email"], "step-urgency": "normal",
    "step-enabled": "on", "do": "step",
}  # fmt: skip


def as_viewer(viewer: Viewer) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


def owed_by(cast: Cast) -> Duty:
    event = make_event(cast.alliance, scheduled=True)
    due_at = timezone.now() - timedelta(days=3)
    return set_duty(event, cast.host, kind="send_agenda", due_at=due_at, viewer=SYSTEM, at=AT)


def test_owed_shows_lateness_and_the_next_step_to_its_own_circle(cast: Cast):
    take_over_standard_chasing(cast.alliance, viewer=SYSTEM, at=AT)
    owed_by(cast)

    [(name, late, [line])] = as_viewer(cast.secretary).get("/owed/").context["groups"]

    assert (name, late, line.is_late, line.may_fulfil) == ("天津滨海高新区", 1, True, True)
    assert line.next_at is not None
    assert len(as_viewer(cast.host_liaison).get("/owed/").context["groups"]) == 1
    assert as_viewer(cast.member_liaison).get("/owed/").context["groups"] == []
    assert Client().get("/owed/").status_code == 302


def test_done_takes_a_duty_off_the_list_for_who_owes_it(cast: Cast):
    duty = owed_by(cast)
    path = f"/owed/{duty.uid}/done/"

    assert as_viewer(cast.member_liaison).post(path).status_code == 404
    client = as_viewer(cast.host_liaison)
    done = client.post(path, follow=True)
    assert Duty.objects.owed().count() == 0
    assert done.context["just_done"] == duty

    undone = client.post(f"/owed/{duty.uid}/reopen/", follow=True)
    assert list(Duty.objects.owed()) == [duty]
    assert undone.context["just_done"] is None
    assert client.get("/owed/", {"done": duty.uid}).context["just_done"] is None


def test_expected_is_taken_over_added_to_changed_and_removed(cast: Cast):
    client, path = as_viewer(cast.secretary), "/owed/jjj/"
    assert client.post(f"{path}usual/").status_code == 302
    assert client.post(path, STEP).status_code == 302
    step = ChaseStep.objects.get(offset="P2D")
    assert (step.day_unit, step.told) == ("working", ["deputy"])

    changed = {name.removeprefix("step-"): value for name, value in STEP.items()}
    page = f"/owed/steps/{step.uid}/"
    assert client.post(page, changed | {"distance": "4", "do": "save"}).status_code == 302
    assert ChaseStep.objects.get(pk=step.pk).offset == "P4D"
    assert client.post(page, {"do": "remove"}).status_code == 302
    assert not ChaseStep.objects.filter(pk=step.pk).exists()

    duty = StandardDuty.objects.get(kind="send_agenda")
    assert client.get(f"/owed/duties/{duty.uid}/").status_code == 200
    assert as_viewer(cast.other_secretary).get(path).status_code == 403
    assert as_viewer(cast.other_secretary).get(page).status_code == 404


def test_holidays_takes_a_file_from_superusers_only(cast: Cast):
    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile("days.csv", b"day,country,kind\n2029-01-01,CN,holiday\n")

    secretary = as_viewer(cast.secretary)
    assert secretary.get("/holidays/").context["form"] is None
    assert secretary.post("/holidays/", {"file": file(), "source": "x"}).status_code == 403
    response = as_viewer(cast.superuser).post("/holidays/", {"file": file(), "source": "x"})
    assert response.status_code == 302
    assert Holiday.objects.count() == 1
