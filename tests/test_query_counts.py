"""Lists cost the same number of queries however long they are, and the number is committed.

After a change that is meant, write the counts anew:

    COORDINATION_WRITE_QUERY_COUNTS=1 python3 manage.py test tests/test_query_counts.py -p no:xdist
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from tests.factories import AT, Cast
from tests.surfaces import MAKERS, PAGES, WHOLE, address_of, api_lists, set_stage

COUNTS = Path(__file__).with_name("query_counts.json")
MANY = 30


def counted(captured: CaptureQueriesContext) -> int:
    """Return how many queries asked for rows; what time it is, only PostgreSQL is asked."""
    return sum("clock_timestamp()" not in query["sql"] for query in captured.captured_queries)


def cost_of(client: Client, path: str) -> tuple[int, int]:
    """Return how many queries a list costs when it is not cached, and how many items it has."""
    caches["answers"].clear()
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200, response.content
    return counted(captured), len(response.json()["items"])


def test_every_list_of_the_api_has_rows_to_be_measured_with() -> None:
    assert set(api_lists()) == set(MAKERS)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_list_costs_the_same_queries_with_1_and_with_30_rows(
    cast: Cast, fixed_clock: Any, name: str
) -> None:
    stage = set_stage(cast)
    user = User.objects.get(pk=cast.secretary.user_id)
    token = issue_token(user, name="test", scopes=["*:*"], viewer=SYSTEM, at=AT)
    client = Client(headers={"Authorization": f"Bearer {token.secret}"})
    path = address_of(name, stage) + ("" if name in WHOLE else "?limit=500")
    MAKERS[name](stage)
    client.get(path)
    one, few = cost_of(client, path)
    for _number in range(MANY - 1):
        MAKERS[name](stage)
    thirty, many = cost_of(client, path)
    assert many >= few + MANY - 1
    assert thirty == one
    assert committed(name, one) == one


@pytest.mark.parametrize("path", sorted(PAGES))
def test_page_costs_the_same_queries_with_1_and_with_30_rows(
    cast: Cast, fixed_clock: Any, path: str
) -> None:
    stage = set_stage(cast)
    client = Client()
    client.force_login(User.objects.get(pk=cast.secretary.user_id))
    address = path.format(event=stage.event.uid)

    def queries() -> int:
        client.get(address)  # what is looked up once in ten seconds is known from here on
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return counted(captured)

    PAGES[path](stage)
    one = queries()
    for _number in range(MANY - 1):
        PAGES[path](stage)
    assert queries() == one
    assert committed(path, one) == one


def committed(name: str, count: int) -> int:
    """Return the count in the file, written anew where that is asked for."""
    if os.environ.get("COORDINATION_WRITE_QUERY_COUNTS"):
        known = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
        COUNTS.write_text(json.dumps(known | {name: count}, indent=2, sort_keys=True) + "\n")
    found: int = json.loads(COUNTS.read_text())[name]
    return found
