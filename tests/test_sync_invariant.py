"""Whatever happens: a stale copy brought up to date equals a fresh reading, for every viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from coordination.accounts.viewer import Viewer
from coordination.calendars.selecting import Selection
from coordination.calendars.syncing import changes_since, token_of
from coordination.calendars.tokens import TokenRefused
from coordination.rest.reading import Reader, compiled
from events.api.serializers import EventReading
from events.models import Event
from tests.factories import Cast
from tests.histories import World, histories, make_world, undone

Shown = dict[UUID, dict[str, Any]]


def shown(pks: Sequence[int], viewer: Viewer) -> Shown:
    """Return events as the API shows them to a viewer."""
    reading = compiled(EventReading)
    rows = Event.objects.filter(pk__in=pks).values_list(*reading.columns)
    objects = reading.objects(list(rows), Reader(viewer, viewer.language))
    return {one["uid"]: one for one in objects}


@dataclass
class Copy:
    """What a consumer keeps, and the uid of all that it could ever have read."""

    selection: Selection
    events: Shown = field(default_factory=dict)
    token: str = ""
    seen: set[UUID] = field(default_factory=set)

    def read(self, viewer: Viewer) -> None:
        self.token = token_of(viewer, self.selection)
        self.events = fresh(viewer, self.selection)
        self.look(viewer)

    def look(self, viewer: Viewer) -> None:
        self.seen |= set(self.selection.rows(viewer).values_list("uid", flat=True))

    def catch_up(self, viewer: Viewer, at: datetime) -> None:
        """Apply answers while there are more; a refusal means reading anew, as documented."""
        try:
            for _round in range(200):
                delta = changes_since(
                    self.token, viewer=viewer, selection=self.selection, limit=2, at=at
                )
                new = shown(delta.changed, viewer)
                assert new.keys() <= fresh(viewer, self.selection).keys()
                self.events |= new
                for removal in delta.removed:
                    assert removal.uid in self.seen, "told of something it could never see"
                    self.events.pop(removal.uid, None)
                self.token = delta.token
                if not delta.more:
                    return
            raise AssertionError("an answer that never ends")
        except TokenRefused:
            self.read(viewer)


def fresh(viewer: Viewer, selection: Selection) -> Shown:
    return shown(list(selection.rows(viewer).values_list("pk", flat=True)), viewer)


def selections(world: World) -> list[Selection]:
    return [
        Selection(),
        Selection.mine(),
        Selection().dated,
        Selection.of_alliance("jjj"),
        Selection.parse({"work_area": str(world.areas[0].uid)}),
        Selection.parse({"organization": str(world.cast.host.uid)}),
        Selection.parse({"from": "2028-05-01", "to": "2028-09-01", "alliance": "jjj"}),
        Selection.parse({"state": "scheduled", "q": "活动"}),
    ]


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def test_a_stale_copy_caught_up_equals_a_fresh_one(world: World) -> None:
    started = world.at

    @given(histories)
    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def holds(history: list[tuple[int, int]]) -> None:
        with undone():
            world.at, world.made, world.told = started, 0, []
            every = selections(world)
            copies = {
                name: [Copy(every[(index + turn) % len(every)]) for turn in (0, 2, 5)]
                for index, name in enumerate(world.viewers())
            }
            for name, viewer in world.viewers().items():
                for copy in copies[name]:
                    copy.read(viewer)
            for number, _step in enumerate(world.play(history)):
                for index, (name, viewer) in enumerate(world.viewers().items()):
                    for copy in copies[name]:
                        copy.look(viewer)
                    if (number + index) % 3 == 0:
                        for copy in copies[name][index % 2 :: 2]:
                            copy.catch_up(viewer, world.at)
            for name, viewer in world.viewers().items():
                for copy in copies[name]:
                    copy.catch_up(viewer, world.at)
                    assert copy.events == fresh(viewer, copy.selection), (name, world.told)
                    token = copy.token
                    copy.catch_up(viewer, world.at)
                    assert copy.token == token, "nothing changed"

    holds()
