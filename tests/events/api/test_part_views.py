"""Materials, invitations, duties and reminder rules over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from events.concluding import attach_material
from events.inviting import invite_organizations
from events.models import Answer, Duty, Event, Invitation, Material, ReminderRule
from events.owing import set_duty
from events.reminding import add_reminder_rule
from events.scheduling import Host, schedule_event
from tests.factories import (
    AFTERNOON,
    AT,
    SYSTEM,
    Cast,
    make_event,
    make_plan,
    make_work_area,
    stored,
)

PDF = b"%PDF-1.7 agenda"


def at_event(event: Event, part: str, *more: object) -> str:
    return "/".join(["/api/v1/events", str(event.uid), part, *map(str, more)]) + "/"


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def upload(name: str = "议程.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def attached(event: Event, **values: Any) -> Material:
    chosen = {"title": "议程", "file_name": '议程 "1".pdf', "content": PDF} | values
    return attach_material(event, viewer=SYSTEM, at=AT, **chosen)


# -- Materials ------------------------------------------------------------------------------------


def test_material_is_uploaded_and_downloaded_as_an_attachment(
    cast: Cast, client_of: Any, client: Client
) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    host = client_of(cast.host_liaison)
    response = host.post(
        at_event(event, "materials"), {"file": upload(), "title": "会议议程", "openness": "public"}
    )
    assert response.status_code == 201, response.content
    shown = response.json()
    assert (shown["title"], shown["openness"], shown["event"]) == (
        "会议议程", "public", str(event.uid),
    )  # fmt: skip
    [version] = shown["versions"]
    assert (version["number"], version["file_name"], version["media_type"], version["size"]) == (
        1, "议程.pdf", "application/pdf", len(PDF),
    )  # fmt: skip
    path = at_event(event, "materials", shown["uid"], "versions", 1)
    assert version["url"].endswith(path)
    download = client.get(path)
    assert b"".join(download.streaming_content) == PDF
    assert download["Content-Type"] == "application/pdf"
    assert download["X-Content-Type-Options"] == "nosniff"
    assert download["Content-Disposition"] == (
        "attachment; filename=\"??.pdf\"; filename*=UTF-8''%E8%AE%AE%E7%A8%8B.pdf"
    )
    again = client.get(path, headers={"If-None-Match": download["ETag"]})
    assert again.status_code == 304


def test_material_gets_versions_and_all_stay(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    material = attached(event)
    secretary = client_of(cast.secretary)
    response = secretary.post(
        at_event(event, "materials", material.uid, "versions"), {"file": upload("b.pdf", b"2")}
    )
    assert response.status_code == 201, response.content
    assert [version["number"] for version in response.json()["versions"]] == [1, 2]
    path = at_event(event, "materials", material.uid, "versions", 1)
    assert b"".join(secretary.get(path).streaming_content) == PDF
    path = at_event(event, "materials", material.uid, "versions", 3)
    assert secretary.get(path).status_code == 404


def test_material_name_cannot_break_out_of_the_header(cast: Cast, client: Client) -> None:
    event = make_event(cast.alliance)
    material = attached(event, file_name='a"; x="\\议.pdf', openness="public")
    response = client.get(at_event(event, "materials", material.uid, "versions", 1))
    assert b"".join(response) == PDF
    assert response["Content-Disposition"].startswith("attachment; filename=\"a'; x='_?.pdf\";")


def test_material_of_members_is_hidden_from_others(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    material = attached(event)
    path = at_event(event, "materials", material.uid, "versions", 1)
    for part, status in (
        ("member_liaison", 200), ("other_secretary", 404), ("stranger", 404),
    ):  # fmt: skip
        client = client_of(cast.viewers()[part])
        response = client.get(path)
        assert response.status_code == status
        assert (b"".join(response) == PDF) == (status == 200)
        shown = client.get(at_event(event, "materials")).json()["items"]
        assert [item["title"] for item in shown] == (["议程"] if status == 200 else [])


def test_material_under_another_event_is_not_found(cast: Cast, client: Client) -> None:
    event, other = make_event(cast.alliance), make_event(cast.alliance)
    material = attached(event, openness="public")
    path = at_event(other, "materials", material.uid, "versions", 1)
    assert client.get(path).status_code == 404
    assert client.get(at_event(other, "materials", material.uid)).status_code == 404


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "required"),
        ({"file": "text"}, "invalid"),
        ({"file": ("virus.exe", b"x")}, "file_type"),
        ({"file": ("empty.pdf", b"")}, "empty"),
        ({"file": ("a.pdf", b"x"), "openness": "friends"}, "invalid_choice"),
        ({"file": ("a.pdf", b"x"), "colour": "red"}, "unknown_field"),
    ],
)
def test_material_that_cannot_be_taken_is_refused(
    cast: Cast, client_of: Any, files: dict[str, Any], code: str
) -> None:
    event = make_event(cast.alliance)
    body = {
        name: upload(*value) if isinstance(value, tuple) else value for name, value in files.items()
    }
    response = client_of(cast.secretary).post(at_event(event, "materials"), body)
    assert response.status_code == 400, response.content
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert Material.objects.count() == 0


def test_material_too_large_or_as_json_is_refused(
    cast: Cast, client_of: Any, settings: Any
) -> None:
    settings.COORDINATION_MAX_UPLOAD_BYTES = 10
    event = make_event(cast.alliance)
    secretary = client_of(cast.secretary)
    response = secretary.post(at_event(event, "materials"), {"file": upload()})
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    assert post(secretary, at_event(event, "materials"), {"title": "x"}).status_code == 415
    assert Material.objects.count() == 0


def test_material_is_removed_by_the_secretariat_alone(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    material = attached(event)
    path = at_event(event, "materials", material.uid)
    any_version = {"If-Match": "*"}
    assert client_of(cast.host_liaison).delete(path, headers=any_version).status_code == 403
    assert client_of(cast.secretary).delete(path, headers=any_version).status_code == 204
    assert Material.objects.count() == 0


# -- Invitations ----------------------------------------------------------------------------------


def test_invitation_is_sent_answered_and_withdrawn(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance, scheduled=True)
    secretary, member = client_of(cast.secretary), client_of(cast.member_liaison)
    body = {"organization": str(cast.member.uid), "answer_by": "2028-05-01"}
    response = post(secretary, at_event(event, "invitations"), body)
    assert response.status_code == 201, response.content
    uid = response.json()["uid"]
    assert response.json()["organization"]["name"] == "Shijiazhuang Zone"
    path = at_event(event, "invitations", uid, "answer")
    response = post(member, path, {"state": "accepted", "delegates": 3, "comment": "两辆车"})
    assert response.status_code == 200, response.content
    assert response.json()["state"] == "accepted"
    assert [answer["delegates"] for answer in response.json()["answers"]] == [3]
    again = post(secretary, at_event(event, "invitations"), body)
    assert again.json()["errors"][0]["code"] == "organization_is_invited_once"
    response = post(secretary, at_event(event, "invitations", uid, "withdraw"))
    assert response.json()["withdrawn_at"] is not None
    assert post(member, path, {"state": "declined"}).status_code == 409
    assert (Invitation.objects.count(), Answer.objects.count()) == (1, 1)


def test_invitation_is_seen_by_secretariat_and_organization_alone(
    cast: Cast, client_of: Any
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    for part, count in (
        ("secretary", 1), ("member_liaison", 1), ("host_liaison", 0), ("chair", 0),
    ):  # fmt: skip
        shown = client_of(cast.viewers()[part]).get(at_event(event, "invitations")).json()
        assert len(shown["items"]) == count


def test_invitation_answer_that_is_none_is_refused(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    path = at_event(event, "invitations", invitation.uid, "answer")
    for body in ({}, {"state": "needs_action"}, {"state": "accepted", "delegates": -1}):
        assert post(client_of(cast.member_liaison), path, body).status_code == 400
    assert Answer.objects.count() == 0


def test_invitation_answer_to_a_time_that_was_moved_since_is_refused(
    cast: Cast, client_of: Any
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    member, path = client_of(cast.member_liaison), at_event(event, "invitations", invitation.uid)
    schedule_event(stored(event), AFTERNOON, viewer=SYSTEM, at=AT)
    body = {"state": "accepted", "sequence": event.sequence}

    refused = post(member, f"{path}answer/", body)
    read = member.get(f"/api/v1/events/{event.uid}/").json()["sequence"]
    taken = post(member, f"{path}answer/", body | {"sequence": read})

    assert (refused.status_code, refused.json()["code"]) == (409, "event_moved")
    assert [answer["sequence"] for answer in taken.json()["answers"]] == [read]


def test_parts_of_an_event_that_is_not_open_are_404(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance, audience="secretariat")
    member = client_of(cast.member_liaison)
    for part in ("materials", "invitations", "duties", "history", "reminders", "deliveries"):
        assert member.get(at_event(event, part)).status_code == 404


# -- Duties ---------------------------------------------------------------------------------------


def test_duty_is_set_moved_and_fulfilled(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    secretary, host = client_of(cast.secretary), client_of(cast.host_liaison)
    body = {
        "organization": str(cast.host.uid), "kind": "send_agenda",
        "due_at": "2028-05-01T18:00:00+08:00",
    }  # fmt: skip
    response = post(secretary, at_event(event, "duties"), body)
    assert response.status_code == 201, response.content
    uid, tag = response.json()["uid"], response["ETag"]
    assert response.json()["due_at"] == "2028-05-01T10:00:00+00:00"
    moved = secretary.patch(
        at_event(event, "duties", uid), {"due_at": "2028-05-02T18:00:00+08:00"},
        content_type="application/json", headers={"If-Match": tag},
    )  # fmt: skip
    assert (moved.status_code, moved.json()["due_at"]) == (200, "2028-05-02T10:00:00+00:00")
    response = post(host, at_event(event, "duties", uid, "fulfil"))
    assert response.json()["done_at"] is not None
    assert post(host, at_event(event, "duties", uid, "fulfil")).status_code == 409
    response = post(host, at_event(event, "duties", uid, "reopen"))
    assert (response.status_code, response.json()["done_at"]) == (200, None)
    assert post(host, at_event(event, "duties", uid, "reopen")).status_code == 409
    assert post(secretary, at_event(event, "duties"), body).status_code == 400
    assert Duty.objects.count() == 1


def test_duty_is_not_set_by_who_owes_it(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    duty = set_duty(event, cast.host, kind="name_date", due_at=AT, viewer=SYSTEM, at=AT)
    body = {
        "organization": str(cast.host.uid),
        "kind": "send_agenda",
        "due_at": "2028-05-01T00:00Z",
    }
    assert post(client_of(cast.host_liaison), at_event(event, "duties"), body).status_code == 403
    path = at_event(event, "duties", duty.uid, "fulfil")
    assert post(client_of(cast.member_liaison), path).status_code == 404
    assert stored(duty).done_at is None


# -- Rules ----------------------------------------------------------------------------------------

RULES = "/api/v1/reminder-rules/"


def test_reminder_rule_is_added_at_every_level(cast: Cast, client_of: Any) -> None:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    event = make_event(cast.alliance, scheduled=True)
    secretary = client_of(cast.secretary)
    for level, key in (
        ("alliance", "jjj"), ("plan", str(plan.uid)), ("work_area", str(area.uid)),
        ("event", str(event.uid)),
    ):  # fmt: skip
        response = post(secretary, RULES, {level: key, "offset": "-P7D"})
        assert response.status_code == 201, response.content
        shown = response.json()
        assert {name: shown[name] for name in ("alliance", "plan", "work_area", "event")} == {
            name: key if name == level else None
            for name in ("alliance", "plan", "work_area", "event")
        }
        assert (shown["audience"], shown["channels"], shown["at_time"]) == (
            ["hosts", "members", "named"], ["email"], None,
        )  # fmt: skip
        shown = secretary.get(f"{RULES}?{level}={key}").json()
        assert len(shown["items"]) == 1
    assert len(secretary.get(RULES).json()["items"]) == 4


def test_reminder_rule_is_changed_and_removed(cast: Cast, client_of: Any) -> None:
    rule = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D")
    secretary, path = client_of(cast.secretary), f"{RULES}{rule.uid}/"
    tag = secretary.get(path)["ETag"]
    response = secretary.patch(
        path, {"offset": "-P1D", "at_time": "09:00", "text_i18n": {"zh": "请准备"}},
        content_type="application/merge-patch+json", headers={"If-Match": tag},
    )  # fmt: skip
    assert response.status_code == 200, response.content
    assert (response.json()["offset"], response.json()["at_time"]) == ("-P1D", "09:00")
    response = secretary.delete(path, headers={"If-Match": response["ETag"]})
    assert response.status_code == 204
    assert ReminderRule.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"offset": "-P7D"}, "/alliance"),
        ({"alliance": "jjj"}, "/offset"),
        ({"alliance": "jjj", "offset": "soon"}, "/offset"),
        ({"alliance": "nosuch", "offset": "-P7D"}, "/alliance"),
        ({"alliance": "jjj", "offset": "-P7D", "audience": []}, "/audience"),
        ({"alliance": "jjj", "offset": "-P7D", "channels": ["pigeon"]}, "/channels/0"),
    ],
)
def test_reminder_rule_that_cannot_be_taken_is_refused(
    cast: Cast, client_of: Any, body: dict[str, Any], pointer: str
) -> None:
    response = post(client_of(cast.secretary), RULES, body)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert ReminderRule.objects.count() == 0


def test_reminder_rule_on_two_things_or_anothers_is_refused(cast: Cast, client_of: Any) -> None:
    event = make_event(cast.alliance)
    secretary = client_of(cast.secretary)
    both = {"alliance": "jjj", "event": str(event.uid), "offset": "-P7D"}
    assert post(secretary, RULES, both).status_code == 400
    assert post(secretary, RULES, {"alliance": "dongbei", "offset": "-P7D"}).status_code == 403
    rule = add_reminder_rule(cast.alliance, viewer=SYSTEM, at=AT, offset="-P7D")
    assert client_of(cast.chair).get(f"{RULES}{rule.uid}/").status_code == 404
