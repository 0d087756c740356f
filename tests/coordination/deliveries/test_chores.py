"""Regular work of the clock: done at once, then in turn; a failing chore stops no other."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from coordination.deliveries import chores
from coordination.deliveries.chores import Rota, register_chore


@pytest.fixture(autouse=True)
def only_these_chores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "_chores", {})


def test_run_due_does_each_chore_when_a_loop_begins_and_not_again_before_its_turn(
    now: datetime,
) -> None:
    done: list[datetime] = []
    register_chore("sweep", done.append, every=timedelta(hours=1))
    register_chore("air", done.append, every=timedelta(0))
    rota = Rota()

    assert [rota.run_due(now), rota.run_due(now)] == [2, 1]
    assert done == [now, now, now]


def test_run_due_goes_on_after_a_chore_that_fails(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(at: datetime) -> None:
        raise ValueError(at)

    done: list[datetime] = []
    register_chore("fail", fail, every=timedelta(hours=1))
    register_chore("sweep", done.append, every=timedelta(hours=1))

    with caplog.at_level(logging.ERROR):
        assert Rota().run_due(now) == 1

    assert done == [now]
    assert "fail failed; it will be tried again." in caplog.text
