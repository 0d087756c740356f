from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Cast, make_event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("draft", "pointer"),
    [
        ({"offset": "7 days"}, "/draft/offset"),
        ({}, "/draft/offset"),
        ({"offset": "-P7D", "repeat_times": "x"}, "/draft/repeat_times"),
        ({"offset": "-P7D", "text_i18n": {"zh": "{nobody}"}}, "/draft/text_i18n/zh"),
    ],
)
def test_preview_of_a_draft_names_what_is_wrong_by_its_place_in_the_body(
    cast: Cast, client_of: Any, draft: dict[str, Any], pointer: str
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"/api/v1/events/{event.uid}/reminder-preview/"

    refused = client_of(cast.secretary).post(path, {"draft": draft}, "application/json")

    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
