"""The API of inbox, wishes and robots: each for its own people."""

from typing import Any

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.deliveries.models import Endpoint, InboxItem
from coordination.deliveries.wishing import own_key
from events.group_owners import owner_key
from tests.factories import AT, Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]

KEY = "693a91f6-7e3b-4bc4-97a0-0ec2d1fa5aaa"
JSON = "application/json"


def client_of(viewer: Any, *scopes: str) -> Client:
    user = User.objects.get(pk=viewer.user_id)
    token = issue_token(user, name="t", scopes=list(scopes) or ["*:*"], viewer=SYSTEM, at=AT)
    return Client(headers={"Authorization": f"Bearer {token.secret}", "Accept-Language": "en"})


def lay(viewer: Any, number: int, **values: Any) -> InboxItem:
    return InboxItem.objects.create(
        recipient=own_key(viewer), message_uid=f"00000000-0000-4000-8000-{number:012}",
        news="reminders", subject=f"提醒 {number}", language="zh-hans", created_at=AT, **values,
    )  # fmt: skip


def test_inbox_pages_through_ones_own_messages(cast: Cast) -> None:
    for number in range(3):
        lay(cast.member_liaison, number)
    lay(cast.host_liaison, 9)
    client = client_of(cast.member_liaison)

    first = client.get("/api/v1/inbox/?limit=2")
    second = client.get(first.json()["next"])

    subjects = [[item["subject"] for item in page.json()["items"]] for page in (first, second)]
    assert subjects == [["提醒 2", "提醒 1"], ["提醒 0"]]
    assert (first.json()["unread"], second.json()["next"]) == (3, None)
    assert 'rel="next"' in first["Link"]
    again = client.get("/api/v1/inbox/?limit=2", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_inbox_of_unread_and_marks(cast: Cast) -> None:
    item = lay(cast.member_liaison, 1)
    lay(cast.member_liaison, 2)
    client = client_of(cast.member_liaison)
    path = f"/api/v1/inbox/{item.uid}"

    assert client.post(f"{path}/read/", {}, content_type=JSON).json()["read_at"] is not None
    unread = client.get("/api/v1/inbox/?unread=true").json()
    assert [found["subject"] for found in unread["items"]] == ["提醒 2"]
    assert client.post(f"{path}/unread/", {}, content_type=JSON).json()["read_at"] is None
    assert client.post("/api/v1/inbox/read-all/", {}, content_type=JSON).json() == {"marked": 2}
    assert client.get("/api/v1/inbox/?unread=maybe").status_code == 400


def test_inbox_is_nobody_elses(cast: Cast) -> None:
    item = lay(cast.member_liaison, 1)

    for viewer in (cast.superuser, cast.host_liaison, cast.secretary):
        client = client_of(viewer)
        assert client.get("/api/v1/inbox/").json()["items"] == []
        assert client.get(f"/api/v1/inbox/{item.uid}/").status_code == 404
        read = client.post(f"/api/v1/inbox/{item.uid}/read/", {}, content_type=JSON)
        assert read.status_code == 404
    assert Client().get("/api/v1/inbox/").status_code == 401
    assert client_of(cast.member_liaison, "events:read").get("/api/v1/inbox/").status_code == 403


def test_wishes_are_read_and_patched(cast: Cast) -> None:
    client = client_of(cast.member_liaison)
    both = ["email", "inbox"]
    assert client.get("/api/v1/wishes/").json() == {
        "channels": {"reminders": both, "invitations": both, "chasing": both, "changes": both},
        "digest": "at_once", "quiet_from": None, "quiet_until": None, "language": "en",
        "time_zone": "Asia/Shanghai",
    }  # fmt: skip

    patch = {
        "channels": {"changes": []}, "digest": "weekly",
        "quiet_from": "22:00", "quiet_until": "07:00",
    }  # fmt: skip
    client.patch("/api/v1/wishes/", patch, content_type=JSON)
    client.patch("/api/v1/wishes/", {"digest": "morning"}, content_type=JSON)

    found = client.get("/api/v1/wishes/").json()
    assert found["channels"]["changes"] == []
    assert (found["digest"], found["quiet_from"], found["quiet_until"]) == (
        "morning", "22:00", "07:00",
    )  # fmt: skip
    cleared = client.patch(
        "/api/v1/wishes/", {"quiet_from": None, "quiet_until": None}, content_type=JSON
    )
    assert cleared.json()["quiet_from"] is None


def test_wishes_that_would_silence_invitations_are_refused(cast: Cast) -> None:
    answer = client_of(cast.member_liaison).patch(
        "/api/v1/wishes/", {"channels": {"invitations": []}}, content_type=JSON
    )

    assert answer.status_code == 400
    assert "cannot be stopped" in answer.json()["errors"][0]["message"]


def robot(cast: Cast) -> dict[str, Any]:
    return {
        "owner": owner_key("alliance", cast.alliance.uid), "kind": "wecom", "name": "联盟群",
        "url": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        "mentions": ["zhangsan"],
    }  # fmt: skip


def test_robots_are_made_shown_without_secrets_changed_and_removed(cast: Cast) -> None:
    client = client_of(cast.secretary)

    made = client.post("/api/v1/robots/", robot(cast), content_type=JSON)

    assert made.status_code == 201
    assert KEY not in made.content.decode()
    path = made["Location"]
    assert client.get(path).json() == made.json()
    assert client.get("/api/v1/robots/").json() == {"items": [made.json()]}
    assert (made.json()["state"], made.json()["mentions"]) == ("well", ["zhangsan"])
    changed = client.patch(path, {"name": "新群"}, content_type=JSON).json()
    assert (changed["name"], Endpoint.objects.get(channel="wecom").secret) == ("新群", KEY)
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_robots_of_others_are_not_there(cast: Cast) -> None:
    path = client_of(cast.secretary).post(
        "/api/v1/robots/", robot(cast), content_type=JSON
    )["Location"]  # fmt: skip

    for viewer in (cast.other_secretary, cast.member_liaison):
        client = client_of(viewer)
        assert client.get("/api/v1/robots/").json() == {"items": []}
        for answer in (
            client.get(path),
            client.patch(path, {"name": "x"}, content_type=JSON),
            client.delete(path),
            client.post(f"{path}test/", {}, content_type=JSON),
            client.post(f"{path}switch-on/", {}, content_type=JSON),
        ):
            assert answer.status_code == 404
        made = client.post("/api/v1/robots/", robot(cast) | {"name": "x"}, content_type=JSON)
        assert made.status_code == 403
    assert Client().get("/api/v1/robots/").status_code == 401


def test_robot_is_switched_on_again(cast: Cast) -> None:
    client = client_of(cast.secretary)
    path = client.post("/api/v1/robots/", robot(cast), content_type=JSON)["Location"]
    Endpoint.objects.filter(channel="wecom").update(disabled_at=AT, disabled_reason="wecom_93000")

    off = client.get(path).json()
    on = client.post(f"{path}switch-on/", {"again": True}, content_type=JSON).json()

    assert (off["state"], on["state"]) == ("off", "well")
    assert off["reason"].startswith("WeCom does not know this robot")
