"""python-caldav: discovery, searching, syncing, free and busy, duties."""

import json
from pathlib import Path
from typing import Any

import pytest

from coordination.accounts.viewer import Viewer
from tests.clients import programs
from tests.clients.conftest import Served

pytestmark = pytest.mark.network
SESSION = Path(__file__).with_name("caldav_session.py")


def session(
    served: Served, viewer: Viewer, folder: Path, *, address: str = "/dav/"
) -> dict[str, Any]:
    """Return what the client found as this person."""
    python = programs.environment("caldav") / "python"
    done = programs.run(
        python, SESSION, f"{served.url}{address}", *served.password(viewer), folder=folder
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_secretary_finds_everything_and_nothing_changes(served: Served, tmp_path: Path) -> None:
    found = session(served, served.cast.secretary, tmp_path)

    assert sorted(found["calendars"]) == ["dongbei", "jjj", "mine"]
    assert found["all"] == sorted(event.ical_uid for event in served.events.values())
    assert found["may"] == ["【已取消】路演", "京津冀产业对接会，第一场"]
    assert found["words"] == ["【延期】论坛"]
    assert (found["again"], found["same_token"]) == (0, True)


def test_a_liaison_officer_sees_their_duties_and_busy_times(served: Served, tmp_path: Path) -> None:
    found = session(served, served.cast.member_liaison, tmp_path)

    assert [title.endswith("京津冀产业对接会，第一场") for title in found["todos"]] == [True]
    assert any("20280516T013000Z/20280516T040000Z" in line for line in found["busy"])


def test_somebody_outside_finds_what_is_public(served: Served, tmp_path: Path) -> None:
    found = session(served, served.cast.outside_liaison, tmp_path)

    hidden = served.events["madrid"].ical_uid
    assert hidden not in found["all"]
    assert len(found["all"]) == 4


@pytest.mark.parametrize("address", ["/.well-known/caldav", "/", "/principals/"])
def test_it_finds_the_calendars_from_every_address_that_programs_try(
    address: str, served: Served, tmp_path: Path
) -> None:
    found = session(served, served.cast.secretary, tmp_path, address=address)

    assert sorted(found["calendars"]) == ["dongbei", "jjj", "mine"]
