from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from coordination.changes.models import Change
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from events.concluding import (
    FileTooLarge,
    attach_material,
    conclude_event,
    remove_material,
    replace_material,
)
from events.models import Event, Material, StoredFile
from events.scheduling import Host, cancel_event, postpone_event
from tests.factories import AT, MORNING, SYSTEM, Cast, make_event, span, stored

PDF = b"%PDF-1.7 agenda"


def attach(event: Event, **values: Any) -> Material:
    chosen = {"title": "议程", "file_name": "议程.pdf", "content": PDF, "viewer": SYSTEM, "at": AT}
    return attach_material(event, **chosen | values)


def test_conclude_event_records_what_came_of_it(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    conclude_event(
        event, viewer=cast.secretary, at=MORNING.ends_at, outcome_zh="签约三项", attendance=120
    )
    row = stored(event)
    assert (row.state, row.outcome_zh, row.attendance) == ("held", "签约三项", 120)
    assert row.held_on == date(2028, 5, 16)


def test_conclude_event_counts_the_day_in_its_own_zone(cast: Cast) -> None:
    night = span("2028-05-17T00:30", "2028-05-17T02:00")  # 16:30 on the 16th in UTC
    event = make_event(cast.alliance, span=night)
    conclude_event(event, viewer=SYSTEM, at=datetime(2028, 5, 17, 0, 0, tzinfo=UTC))
    assert stored(event).held_on == date(2028, 5, 17)


def test_conclude_event_before_it_begins_or_without_a_time_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance)
    with pytest.raises(TransitionNotAllowed) as caught:
        conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)
    assert caught.value.code == "not_scheduled"
    event = make_event(cast.alliance, scheduled=True)
    with pytest.raises(TransitionNotAllowed) as caught:
        conclude_event(event, viewer=SYSTEM, at=AT)
    assert caught.value.code == "not_begun"
    assert stored(event).state == "scheduled"


def test_conclude_event_postponed_without_a_date_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    postpone_event(event, reason="台风", viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed) as caught:
        conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)
    assert caught.value.code == "not_scheduled"


def test_conclude_event_with_an_unknown_or_impossible_outcome_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    for outcome, code in (
        ({"title_zh": "新"}, "unknown_field"),
        ({"attendance": -1}, "number_out_of_range"),
    ):
        changes = Change.objects.count()
        with pytest.raises(InvalidInput) as caught:
            conclude_event(stored(event), viewer=SYSTEM, at=MORNING.ends_at, **outcome)
        assert [error.code for error in caught.value.errors] == [code]
        assert (stored(event).state, Change.objects.count()) == ("scheduled", changes)


def test_conclude_event_that_was_cancelled_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    cancel_event(event, reason="预算", viewer=SYSTEM, at=AT)
    with pytest.raises(TransitionNotAllowed):
        conclude_event(event, viewer=SYSTEM, at=MORNING.ends_at)


def test_attach_material_keeps_the_file_by_its_content(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    material = attach(event, viewer=cast.host_liaison)
    attach(event, title="", file_name="copy.PDF")
    [version] = material.versions.all()
    assert (version.number, version.file_name, version.file.size) == (1, "议程.pdf", len(PDF))
    assert version.file.media_type == "application/pdf"
    assert version.file.content.read() == PDF
    version.file.content.close()
    assert [row.title for row in event.materials.all()] == ["议程", "copy.PDF"]
    assert StoredFile.objects.count() == 1


@pytest.mark.parametrize(
    ("file_name", "content", "code"),
    [
        ("virus.exe", PDF, "file_type"),
        ("page.html", PDF, "file_type"),
        ("picture.svg", PDF, "file_type"),
        ("pdf", PDF, "file_type"),
        ("empty.pdf", b"", "file_empty"),
    ],
)
def test_attach_material_of_a_kind_that_is_not_taken_is_refused(
    cast: Cast, file_name: str, content: bytes, code: str
) -> None:
    event = make_event(cast.alliance)
    with pytest.raises(InvalidInput) as caught:
        attach(event, file_name=file_name, content=content)
    assert [(error.field, error.code) for error in caught.value.errors] == [("file", code)]
    assert (Material.objects.count(), StoredFile.objects.count()) == (0, 0)


def test_attach_material_that_is_too_large_is_refused(cast: Cast, settings: Any) -> None:
    settings.COORDINATION_MAX_UPLOAD_BYTES = 10
    with pytest.raises(FileTooLarge):
        attach(make_event(cast.alliance))
    assert Material.objects.count() == 0


def test_attach_material_by_somebody_who_does_not_host_is_refused(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    for name in ("member_liaison", "other_secretary", "chair", "public"):
        with pytest.raises(NotAllowed):
            attach(event, viewer=cast.viewers()[name])
    assert Material.objects.count() == 0


def test_replace_material_adds_a_version_and_keeps_the_first(cast: Cast) -> None:
    material = attach(make_event(cast.alliance))
    replace_material(
        stored(material), file_name="议程2.pdf", content=PDF + b"2", viewer=SYSTEM, at=AT
    )
    assert [(row.number, row.file_name) for row in stored(material).versions.all()] == [
        (1, "议程.pdf"),
        (2, "议程2.pdf"),
    ]
    assert stored(material).version == 2


def test_replace_material_by_somebody_who_does_not_host_is_refused(cast: Cast) -> None:
    material = attach(make_event(cast.alliance))
    with pytest.raises(NotAllowed):
        replace_material(
            material, file_name="b.pdf", content=PDF, viewer=cast.member_liaison, at=AT
        )
    assert material.versions.count() == 1


def test_remove_material_leaves_it_in_the_log(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host)])
    material = attach(event)
    with pytest.raises(NotAllowed):
        remove_material(material, viewer=cast.host_liaison, at=AT)
    remove_material(material, viewer=cast.secretary, at=AT)
    assert Material.objects.count() == 0
    kinds = Change.objects.filter(object_uid=material.uid).order_by("number")
    assert list(kinds.values_list("kind", flat=True)) == ["material.attached", "material.removed"]
