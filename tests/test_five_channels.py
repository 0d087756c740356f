"""One truth, five channels: whatever happens, every copy equals a fresh reading, and each other.

JSON sync, CalDAV sync-collection, a private feed and webhooks keep a copy each, for every kind of
viewer with a login; the fifth channel is the fresh reading that they are held against. Each copy
is caught up now and then, as its program would, and at the end.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pytest
import time_machine
from django.core.cache import cache, caches
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars.linking import LinkSettings, issue_link, path_of
from coordination.changes.models import Counter
from tests.coordination.calendars.hearing import hear, hook, owner_of, payloads
from tests.factories import AT, Cast
from tests.histories import World, histories, make_world, undone

DAV = "{DAV:}"
FILTER = {"alliance": "jjj"}
Events = dict[str, dict[str, Any]]
Texts = dict[str, str]


@dataclass
class Person:
    """Somebody with a copy over each channel."""

    api: Client
    dav: Client
    collection: str
    feed_path: str
    webhook: Any
    synced: Events = field(default_factory=dict)
    token: str = ""
    objects: Texts = field(default_factory=dict)
    dav_token: str = ""
    feed: str = ""
    feed_tag: str = ""
    heard: Events = field(default_factory=dict)
    heard_up_to: int = 0

    @classmethod
    def of(cls, viewer: Viewer) -> Person:
        user = User.objects.get(pk=viewer.user_id)
        bearer = issue_token(user, name="api", scopes=["*:*"], viewer=SYSTEM, at=AT)
        password = issue_token(
            user, name="dav", kind="app_password", scopes=["*:*"], viewer=SYSTEM, at=AT
        )
        login = base64.b64encode(f"{user.username}:{password.secret}".encode()).decode()
        link = issue_link(user, LinkSettings("日历", "zh-hans", FILTER), viewer=SYSTEM, at=AT)
        return cls(
            api=Client(headers={"Authorization": f"Bearer {bearer.secret}"}),
            dav=Client(headers={"Authorization": f"Basic {login}"}),
            collection=f"/dav/calendars/{user.uid}/jjj/",
            feed_path=path_of(link),
            webhook=hook(owner_of(viewer), filters=FILTER),
        )

    def catch_up(self, channels: Sequence[str] = ("json", "dav", "feed", "webhook")) -> None:
        for channel in channels:
            getattr(self, f"_by_{channel}")()

    # -- JSON sync -------------------------------------------------------------------------------

    def _by_json(self) -> None:
        answer = self.api.get(
            "/api/v1/sync/", FILTER | ({"token": self.token} if self.token else {})
        )
        if answer.status_code == 410:
            self.token, self.synced = "", {}
            return self._by_json()
        for page in self._pages(answer):
            self.synced |= {one["uid"]: one for one in page["events"]}
            for one in page["removed"]:
                self.synced.pop(one["uid"], None)
            self.token = page.get("token", self.token)
        return None

    def _pages(self, answer: Any) -> Iterator[dict[str, Any]]:
        page = answer.json()
        yield page
        while page["more"]:
            page = self.api.get(page["next"]).json()
            yield page

    # -- CalDAV ----------------------------------------------------------------------------------

    def _by_dav(self) -> None:
        more = True
        while more:
            answer = self._report(self.dav_token, limit=2)
            if answer.status_code == 404:  # the calendar is gone, and so is the copy
                self.objects, self.dav_token = {}, ""
                return
            if answer.status_code == 403:
                assert b"valid-sync-token" in answer.content
                self.objects, self.dav_token = {}, ""
                continue
            assert answer.status_code == 207, answer.content
            more = self._apply(ElementTree.fromstring(answer.content))

    def _report(self, token: str, limit: int) -> Any:
        body = (
            f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
            f"<sync-level>1</sync-level><limit><nresults>{limit}</nresults></limit>"
            "<prop><getetag/></prop></sync-collection>"
        )
        return self.dav.generic(
            "REPORT", self.collection, body, "application/xml", headers={"Depth": "0"}
        )

    def _apply(self, root: ElementTree.Element) -> bool:
        more = False
        for response in root.findall(f"{DAV}response"):
            href, status = response.findtext(f"{DAV}href"), response.findtext(f"{DAV}status")
            assert href is not None
            if status is None:
                self.objects[href] = self.dav.get(href).content.decode()
            elif " 507 " in status:
                more = True
            else:
                assert " 404 " in status, status
                self.objects.pop(href, None)
        self.dav_token = root.findtext(f"{DAV}sync-token") or ""
        return more

    # -- the feed --------------------------------------------------------------------------------

    def _by_feed(self) -> None:
        headers = {"If-None-Match": self.feed_tag} if self.feed_tag else {}
        answer = self.api.get(self.feed_path, headers=headers)
        if answer.status_code == 200:
            self.feed, self.feed_tag = answer.content.decode(), answer["ETag"]
        else:
            assert answer.status_code == 304

    # -- webhooks --------------------------------------------------------------------------------

    def _by_webhook(self) -> None:
        hear(at=timezone.now())
        sent = payloads(self.webhook)
        for payload in sent[self.heard_up_to :]:
            data = payload["data"]
            if payload["type"] == "access.changed":
                self.heard = self.fresh_events()
            elif payload["type"] in ("event.left_view", "event.deleted"):
                assert data.keys() == {"uid"}
                self.heard.pop(data["uid"], None)
            else:
                answer = self.api.get(f"/api/v1/events/{data['uid']}/")
                if answer.status_code == 200:
                    self.heard[data["uid"]] = answer.json()
                else:
                    self.heard.pop(data["uid"], None)
        self.heard_up_to = len(sent)

    # -- fresh readings --------------------------------------------------------------------------

    def fresh_events(self) -> Events:
        page = self.api.get("/api/v1/events/", FILTER | {"limit": 500}).json()
        return {one["uid"]: one for one in page["items"]}

    def fresh_objects(self) -> Texts:
        body = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
        answer = self.dav.generic(
            "PROPFIND", self.collection, body, "application/xml", headers={"Depth": "1"}
        )
        if answer.status_code == 404:
            return {}
        root = ElementTree.fromstring(answer.content)
        hrefs = [found.text or "" for found in root.iter(f"{DAV}href")]
        return {
            href: self.dav.get(href).content.decode() for href in hrefs if href.endswith(".ics")
        }


def components(text: str) -> Texts:
    """Return the VEVENTs of a calendar by their UID."""
    found = re.findall(r"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", text, re.DOTALL)
    return {value_of("UID", one): one for one in found}


def value_of(name: str, component: str) -> str:
    match = re.search(rf"^{name}[;:](?:[^\r\n]*:)?([^\r\n:]*)\r$", component, re.MULTILINE)
    assert match, (name, component)
    return match[1]


def said(event: dict[str, Any]) -> tuple[str, str, bool]:
    """Return what JSON says that calendars must say too."""
    return event["ical_uid"], str(event["sequence"]), event["state"] == "cancelled"


def in_calendars(events: Events) -> list[dict[str, Any]]:
    """Return the events that have a time, now or before."""
    return [one for one in events.values() if one["starts_at"] or one["previous"]]


def check(name: str, person: Person, world: World) -> None:
    """Hold every copy against a fresh reading, and the channels against each other."""
    told = (name, world.told)
    events, objects = person.fresh_events(), person.fresh_objects()
    assert person.synced == events, told
    assert person.heard == events, told
    assert person.objects == objects, told
    by_feed = components(person.feed)
    by_dav = {uid: one for text in objects.values() for uid, one in components(text).items()}
    if objects:
        assert by_dav == by_feed, told
    retired = {uid for uid in world.retired() if uid not in by_feed}
    assert {
        (uid, value_of("SEQUENCE", one), value_of("STATUS", one) == "CANCELLED")
        for uid, one in by_feed.items()
    } == {said(one) for one in in_calendars(events) if one["ical_uid"] not in retired}, told


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def test_five_channels_agree(world: World) -> None:
    started = world.at
    everybody = {
        name: viewer for name, viewer in world.cast.viewers().items() if viewer.user_id is not None
    }

    @given(histories)
    @settings(
        max_examples=8,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(history: list[tuple[int, int]]) -> None:
        cache.clear()
        caches["answers"].clear()
        with undone(), time_machine.travel(started, tick=False) as clock:
            world.at, world.made, world.told = started, 0, []
            Counter.objects.update(
                epoch=f"00000000-0000-4000-8000-{abs(hash(str(history))) % 10**12:012d}"
            )
            people = {name: Person.of(viewer) for name, viewer in everybody.items()}
            for person in people.values():
                person.catch_up()
                person.heard = person.fresh_events()
            for turn, _step in enumerate(world.play(history)):
                clock.move_to(world.at)
                for index, person in enumerate(people.values()):
                    if (turn + index) % 4 == 0:
                        cache.clear()
                        person.catch_up(("json", "dav", "feed", "webhook")[index % 2 :: 2])
            for name, person in people.items():
                cache.clear()
                person.catch_up()
                check(name, person, world)

    holds()
