"""Whatever happens: a copy kept by webhooks equals a fresh reading, for every owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from coordination.accounts.viewer import Viewer
from coordination.calendars.selecting import Selection
from coordination.deliveries.models import Message, Subscription
from tests.coordination.calendars.hearing import hear, hook, payloads
from tests.factories import Cast
from tests.histories import World, histories, make_world, undone

GONE = ("event.left_view", "event.deleted")


@dataclass
class Copy:
    """What a receiver keeps: versions by uid, and every uid it ever had reason to know."""

    webhook: Subscription
    selection: Selection
    events: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    heard: int = 0

    def read(self, viewer: Viewer) -> None:
        """Read everything anew, as `access.changed` asks."""
        rows = self.selection.rows(viewer).values_list("uid", "version")
        self.events = {str(uid): version for uid, version in rows}
        self.known |= self.events.keys()

    def receive(self, viewer: Viewer) -> None:
        """Do what the documentation says with each message that has come since."""
        news = payloads(self.webhook)
        for one in news[self.heard :]:
            self.take(one, viewer)
        self.heard = len(news)

    def take(self, news: dict[str, Any], viewer: Viewer) -> None:
        if news["type"] == "access.changed":
            self.read(viewer)
            return
        uid = news["data"]["uid"]
        if news["type"] in GONE:
            assert uid in self.known, "told of something it never saw"
            assert set(news["data"]) == {"uid"}
            self.events.pop(uid, None)
            return
        self.known.add(uid)
        found = self.selection.rows(viewer).filter(uid=uid).values_list("version", flat=True)
        if found:
            self.events[uid] = found[0]


def selections(world: World) -> list[Selection]:
    return [
        Selection(),
        Selection.mine(),
        Selection.of_alliance("jjj"),
        Selection.parse({"work_area": str(world.areas[0].uid)}),
        Selection.parse({"state": "scheduled", "q": "活动"}),
        Selection.parse({"from": "2028-05-01", "to": "2028-09-01"}),
    ]


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def test_a_copy_kept_by_webhooks_equals_a_fresh_one(world: World) -> None:
    started = world.at

    @given(histories)
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(history: list[tuple[int, int]]) -> None:
        with undone():
            world.at, world.made, world.told = started, 0, []
            every = selections(world)
            copies: dict[str, list[Copy]] = {}
            for index, (name, viewer) in enumerate(world.viewers().items()):
                for turn in (0, 1) if name != "public" else ():
                    chosen = every[(index + turn * 3) % len(every)]
                    filters = chosen.parameters_with_mine
                    webhook = hook(viewer, name=str(turn), filters=filters, at=started)
                    copies.setdefault(name, []).append(Copy(webhook, chosen))
                    copies[name][-1].read(viewer)
            for number, _step in enumerate(world.play(history)):
                if number % 3 == 0:
                    everybody_hears(world, copies)
            everybody_hears(world, copies)
            for name, viewer in world.viewers().items():
                for copy in copies.get(name, ()):
                    fresh = copy.selection.rows(viewer).values_list("uid", "version")
                    assert copy.events == {str(uid): version for uid, version in fresh}, (
                        name, copy.selection, world.told,
                    )  # fmt: skip
            assert set(Message.objects.values_list("state", flat=True)) <= {"pending"}

    holds()


def everybody_hears(world: World, copies: dict[str, list[Copy]]) -> None:
    hear(world.at)
    for name, viewer in world.viewers().items():
        for copy in copies.get(name, ()):
            copy.receive(viewer)
