"""Setting columns by name: what is fixed stays."""

from __future__ import annotations

from uuid import uuid4

import pytest

from alliances.models import Body
from coordination.changes.assigning import assign
from coordination.changes.refusals import InvalidInput


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("id", "unknown_field"),
        ("version", "unknown_field"),
        ("concerns", "unknown_field"),
        ("colour", "unknown_field"),
        ("kind", "read_only"),
    ],
)
def test_assign_column_that_cannot_be_set_is_refused(name: str, code: str) -> None:
    body = Body(kind="council")

    with pytest.raises(InvalidInput) as refusal:
        assign(body, {"name_zh": "理事会", name: "7"}, fixed=["kind"])

    assert [(error.field, error.code) for error in refusal.value.errors] == [(name, code)]
    assert body.name_zh == ""


def test_assign_fixed_column_with_the_value_it_has_is_taken() -> None:
    body = Body(kind="council")

    assign(body, {"kind": "council", "name_zh": "理事会"}, fixed=["kind"])

    assert body.name_zh == "理事会"


def test_assign_uid_of_a_stored_row_is_refused() -> None:
    uid = uuid4()
    assert assign(Body(), {"uid": uid}).uid == uid
    stored = Body()
    stored._state.adding = False

    with pytest.raises(InvalidInput):
        assign(stored, {"uid": uid})
