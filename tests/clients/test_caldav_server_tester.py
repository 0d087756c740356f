"""caldav-server-tester: every result is the one that the page of conformance gives, and why."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.clients import programs
from tests.clients.conftest import Served
from tests.paperwork import ROOT, table_cells

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "conformance" / "caldav-server-tester.md"
SAME_MACHINE = "127.1"  # Of a localhost the program does not ask for /.well-known/caldav.


def claimed() -> dict[str, str]:
    """Return what the page says of each feature."""
    text = PAGE.read_text(encoding="utf-8")
    results = dict(zip(table_cells(text, 0), table_cells(text, 1), strict=True))
    assert results.pop("feature") == "result"
    return results


@pytest.mark.network
def test_every_result_is_that_of_the_page(served: Served, tmp_path: Path, settings: Any) -> None:
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, SAME_MACHINE]
    url = f"{served.url}/dav/".replace("localhost", SAME_MACHINE)
    username, password = served.password(served.cast.secretary)
    python = programs.environment("caldav") / "python"
    session = HERE / "tester_session.py"

    done = programs.run(python, session, url, username, password, "联盟jjj", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == claimed()


def test_page_counts_the_score_of_its_table() -> None:
    counts = Counter(claimed().values())
    text = PAGE.read_text(encoding="utf-8")

    [(full, features, unknown)] = re.findall(r"(\d+) full of (\d+)\*\*; (\d+) unknown", text)

    assert (int(full), int(unknown)) == (counts["full"], counts["unknown"])
    assert int(features) == counts.total() - counts["True"]  # The one that is an observation.
    assert set(counts) == {"full", "ungraceful", "unsupported", "unknown", "True"}


def test_page_explains_and_shows_everything_that_is_not_full() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = zip(*(table_cells(text, column) for column in range(4)), strict=True)

    unexplained = [
        feature for feature, result, why, test in rows if (result == "full") != (why == test == "–")
    ]

    assert unexplained == []
