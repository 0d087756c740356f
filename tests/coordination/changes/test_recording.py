"""The change log: one way to write, numbers without gaps in commit order, versions and diffs."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from alliances.models import Alliance, Body, ChairTerm, Organization, OrganizationAlias
from coordination.changes.kinds import UnknownKind
from coordination.changes.models import (
    Change,
    ChangeScope,
    Counter,
    Scope,
    UnrecordedWrite,
    revisions_of,
)
from coordination.changes.recording import SwallowedRefusal, recording
from coordination.changes.refusals import InvalidInput, StaleVersion

AT = datetime(2028, 2, 29, 15, 30, tzinfo=UTC)


def an_alliance(slug: str = "jjj") -> Alliance:
    return Alliance(slug=slug, kind="high_tech_zone", name_zh="京津冀国家高新区联盟")


def founded(slug: str = "jjj") -> Alliance:
    alliance = an_alliance(slug)
    with recording("system", at=AT) as log:
        log.save(alliance, "alliance.founded")
    return alliance


def numbers() -> list[int]:
    return list(Change.objects.order_by("number").values_list("number", flat=True))


@pytest.mark.django_db
def test_save_outside_a_recording_raises() -> None:
    alliance = founded()
    alliance.name_zh = "别名"

    with pytest.raises(UnrecordedWrite):
        alliance.save()
    with pytest.raises(UnrecordedWrite):
        alliance.delete()
    with pytest.raises(UnrecordedWrite):
        Alliance.objects.filter(pk=alliance.pk).update(name_zh="别名")
    with pytest.raises(UnrecordedWrite):
        Alliance.objects.all().delete()
    with pytest.raises(UnrecordedWrite):
        Alliance.objects.bulk_create([an_alliance("other")])
    with pytest.raises(UnrecordedWrite):
        Alliance.objects.bulk_update([alliance], ["name_zh"])

    assert Alliance.objects.get().name_zh == "京津冀国家高新区联盟"


@pytest.mark.django_db
def test_save_new_row_records_every_value_it_has() -> None:
    alliance = founded()

    change = Change.objects.get()
    assert (change.number, change.kind, change.object_uid, change.object_version) == (
        1,
        "alliance.founded",
        alliance.uid,
        1,
    )
    assert change.diff["slug"] == [None, "jjj"]
    assert "website" not in change.diff
    assert (change.actor, change.at) == ("system", AT)


@pytest.mark.django_db
def test_save_changed_row_records_only_what_changed_and_raises_the_version() -> None:
    founded()
    alliance = Alliance.objects.get()
    alliance.name_en = "Alliance"

    with recording("user:1", at=AT + timedelta(hours=1), reason="translated") as log:
        assert log.save(alliance, "alliance.revised") is True

    change = Change.objects.get(number=2)
    assert change.diff == {"name_en": ["", "Alliance"]}
    assert (change.reason, change.object_version) == ("translated", 2)
    assert Alliance.objects.get().version == 2


@pytest.mark.django_db
def test_save_unchanged_row_records_nothing() -> None:
    founded()
    alliance = Alliance.objects.get()

    with recording("system", at=AT) as log:
        assert log.save(alliance, "alliance.revised") is False

    assert numbers() == [1]
    assert Alliance.objects.get().version == 1
    assert Counter.objects.get().value == 1


@pytest.mark.django_db
def test_save_row_read_before_another_change_is_refused_with_both_versions() -> None:
    founded()
    mine, theirs = Alliance.objects.get(), Alliance.objects.get()
    theirs.name_en = "Theirs"
    with recording("system", at=AT) as log:
        log.save(theirs, "alliance.revised")
    mine.name_en = "Mine"

    with pytest.raises(StaleVersion) as refusal, recording("system", at=AT) as log:
        log.save(mine, "alliance.revised")

    assert refusal.value.current.name_en == "Theirs"
    assert refusal.value.mine.name_en == "Mine"
    assert Alliance.objects.get().name_en == "Theirs"
    assert numbers() == [1, 2]


@pytest.mark.django_db
def test_save_under_an_unknown_kind_raises() -> None:
    with pytest.raises(UnknownKind), recording("system", at=AT) as log:
        log.save(an_alliance(), "alliance.frobnicated")

    assert Alliance.objects.count() == 0


@pytest.mark.django_db
def test_save_value_too_long_names_the_field() -> None:
    alliance = an_alliance()
    alliance.name_en = "x" * 201

    with pytest.raises(InvalidInput) as refusal, recording("system", at=AT) as log:
        log.save(alliance, "alliance.founded")

    assert [(error.field, error.code) for error in refusal.value.errors] == [
        ("name_en", "max_length")
    ]


@pytest.mark.django_db
def test_save_taken_key_is_refused_by_the_database_in_words() -> None:
    founded()

    with pytest.raises(InvalidInput) as refusal, transaction.atomic():
        founded()

    assert [(error.field, error.code) for error in refusal.value.errors] == [("slug", "unique")]
    assert numbers() == [1]


@pytest.mark.django_db
def test_recording_that_fails_takes_no_number() -> None:
    founded("a")
    with pytest.raises(RuntimeError), transaction.atomic(), recording("system", at=AT) as log:
        log.save(an_alliance("b"), "alliance.founded")
        raise RuntimeError
    founded("c")

    assert numbers() == [1, 2]
    assert list(Alliance.objects.values_list("slug", flat=True)) == ["a", "c"]


@pytest.mark.django_db
def test_recording_inside_a_recording_commits_with_it() -> None:
    with recording("user:1", at=AT, reason="outer") as log:
        log.save(an_alliance("a"), "alliance.founded")
        with recording("user:2", at=AT, reason="inner") as inner:
            inner.save(an_alliance("b"), "alliance.founded")

    assert list(Change.objects.order_by("number").values_list("actor", "reason")) == [
        ("user:1", "outer"),
        ("user:2", "inner"),
    ]


@pytest.mark.django_db
def test_refusal_caught_inside_a_joined_recording_is_not_half_committed() -> None:
    with pytest.raises(SwallowedRefusal), transaction.atomic(), recording("system", at=AT) as log:
        log.save(an_alliance("a"), "alliance.founded")
        try:
            with recording("system", at=AT) as inner:
                inner.save(an_alliance("b"), "alliance.founded")
                raise InvalidInput([])
        except InvalidInput:
            pass

    assert Alliance.objects.count() == 0


@pytest.mark.django_db
def test_parts_appear_in_their_owners_diff_and_raise_its_version() -> None:
    organization = Organization(kind="zone", name_zh="天津滨海高新区")
    with recording("system", at=AT) as log:
        log.insert_all(
            [organization],
            "organization.registered",
            parts=[{"aliases": [OrganizationAlias(name="滨海", key="滨海")]}],
        )
    stored = Organization.objects.get()

    with recording("system", at=AT) as log:
        unchanged = log.save(
            stored,
            "organization.revised",
            parts={"aliases": [OrganizationAlias(name="滨海", key="滨海")]},
        )
        changed = log.save(stored, "organization.revised", parts={"aliases": []})

    assert (unchanged, changed) == (False, True)
    assert Change.objects.get(number=2).diff == {"aliases": [[{"name": "滨海", "key": "滨海"}], []]}
    assert Organization.objects.get().version == 2


@pytest.mark.django_db
def test_delete_leaves_a_tombstone_with_the_scopes_that_saw_it() -> None:
    body = Body(alliance=founded(), kind="council", name_zh="理事会")
    with recording("system", at=AT) as log:
        log.save(body, "body.added")
    scopes = set(body.concerned_scopes())

    with recording("system", at=AT) as log:
        log.delete(body, "body.revised")

    rows = ChangeScope.objects.filter(number=3)
    assert {row.scope for row in rows} == scopes
    assert {(row.before, row.after) for row in rows} == {(True, False)}


@pytest.mark.django_db
def test_scopes_keep_the_number_of_their_last_change() -> None:
    first, second = founded("a"), founded("b")

    assert revisions_of(["public", "all", f"alliance:{first.pk}:members", "organization:9"]) == {
        "public": 2,
        "all": 2,
        f"alliance:{first.pk}:members": 1,
        "organization:9": 0,
    }
    assert Scope.objects.get(name=f"alliance:{second.pk}:secretariat").last_number == 2


@pytest.mark.django_db
def test_update_all_shares_statements_and_checks_versions(
    django_assert_max_num_queries: Any,
) -> None:
    with recording("system", at=AT) as log:
        log.insert_all(
            [Organization(kind="zone", name_zh=f"园区{number}") for number in range(30)],
            "organization.registered",
        )
    rows = list(Organization.objects.all())
    for row in rows:
        row.website = "https://example.org/"

    with django_assert_max_num_queries(12), recording("system", at=AT) as log:
        assert log.update_all(rows, "organization.revised") == 30

    assert numbers() == list(range(1, 61))
    assert set(Organization.objects.values_list("version", flat=True)) == {2}
    stale = rows[0]
    stale.version, stale.website = 1, "https://example.com/"
    with pytest.raises(StaleVersion), transaction.atomic(), recording("system", at=AT) as log:
        log.update_all([stale], "organization.revised")


@pytest.mark.django_db(transaction=True)
def test_concurrent_recordings_get_numbers_without_gaps_in_commit_order() -> None:
    writers, each = 4, 8
    failures: list[BaseException] = []

    def write(name: int) -> None:
        try:
            for turn in range(each):
                try:
                    with recording(f"user:{name}", at=AT) as log:
                        log.save(an_alliance(f"w{name}-{turn}"), "alliance.founded")
                        if turn % 3 == 2:
                            raise LookupError
                except LookupError:
                    continue
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = writers * (each - each // 3)
    assert failures == []
    assert numbers() == list(range(1, kept + 1))
    assert Counter.objects.get().value == kept
    assert Alliance.objects.count() == kept


@pytest.mark.django_db(transaction=True)
def test_numbers_follow_the_order_of_commits_not_of_writing() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: the second cannot begin before the first")
    wrote, go = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with recording("user:slow", at=AT) as log:
                log.save(an_alliance("slow"), "alliance.founded")
                wrote.set()
                go.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    wrote.wait(10)
    founded("quick")
    go.set()
    thread.join()

    assert list(Change.objects.order_by("number").values_list("actor", flat=True)) == [
        "system",
        "user:slow",
    ]


@pytest.mark.django_db
def test_save_number_that_becomes_zero_is_stored_and_said() -> None:
    body = Body(alliance=founded(), kind="council", name_zh="理事会")
    with recording("system", at=AT) as log:
        log.save(body, "body.added")
    body.term_years = 0

    with recording("system", at=AT) as log:
        assert log.save(body, "body.revised") is True

    assert Body.objects.get(pk=body.pk).term_years == 0
    assert Change.objects.latest("number").diff == {"term_years": [None, 0]}


@pytest.mark.django_db
def test_save_text_that_means_the_stored_value_records_nothing() -> None:
    alliance = Alliance.objects.get(pk=founded().pk)
    alliance.founded_on = date(2023, 12, 1)
    with recording("system", at=AT) as log:
        log.save(alliance, "alliance.revised")
    alliance.founded_on = "2023-12-01"

    with recording("system", at=AT) as log:
        assert log.save(alliance, "alliance.revised") is False

    assert numbers() == [1, 2]


@pytest.mark.django_db
def test_recording_that_fails_leaves_rows_in_memory_as_the_database_has_them() -> None:
    alliance, new = founded(), an_alliance("new")
    alliance.name_en = "Alliance"

    with pytest.raises(LookupError), recording("system", at=AT) as log:
        log.save(alliance, "alliance.revised")
        log.save(new, "alliance.founded")
        raise LookupError

    assert new.pk is None
    assert (alliance.version, new._state.adding) == (1, True)
    with recording("system", at=AT) as log:
        log.save(alliance, "alliance.revised")
        log.save(new, "alliance.founded")
    assert Alliance.objects.get(pk=alliance.pk).name_en == "Alliance"
    assert numbers() == [1, 2, 3]


@pytest.mark.django_db
def test_save_parts_of_a_stale_row_is_refused_before_they_are_touched() -> None:
    organization = Organization(kind="zone", name_zh="天津滨海高新区")
    with recording("system", at=AT) as log:
        log.save(organization, "organization.registered")
    stale = Organization.objects.get(pk=organization.pk)
    first, second = (OrganizationAlias(name=name, key=name) for name in ("滨海", "天津滨海"))
    with recording("system", at=AT) as log:
        log.save(organization, "organization.revised", parts={"aliases": [first]})

    with pytest.raises(StaleVersion), recording("system", at=AT) as log:
        log.save(stale, "organization.revised", parts={"aliases": [second]})

    assert [row.name for row in OrganizationAlias.objects.all()] == ["滨海"]


@pytest.mark.django_db
def test_hold_row_that_changed_since_it_was_read_is_refused() -> None:
    alliance = founded()
    stale = Alliance.objects.get(pk=alliance.pk)
    alliance.kind, alliance.name_en = "city", "Cities"
    with recording("system", at=AT) as log:
        log.save(alliance, "alliance.revised")

    with recording("system", at=AT) as log:
        log.hold(stale, unchanged=["slug"])
    with pytest.raises(StaleVersion) as refusal, recording("system", at=AT) as log:
        log.hold(stale, unchanged=["slug", "kind"])

    assert refusal.value.current == alliance


@pytest.mark.django_db(transaction=True)
def test_save_row_whose_owner_is_deleted_meanwhile_is_refused_in_words() -> None:
    body = Body(alliance=founded(), kind="council", name_zh="理事会")
    organization = Organization(kind="zone", name_zh="天津滨海高新区")
    with recording("system", at=AT) as log:
        log.save(body, "body.added")
        log.save(organization, "organization.registered")
    term = ChairTerm(body=body, organization=organization, starts_on=date(2028, 1, 1))
    with recording("system", at=AT) as log:
        log.delete(Body.objects.get(), "body.revised")

    with pytest.raises(StaleVersion), recording("system", at=AT) as log:
        log.save(term, "chair_term.begun")

    assert (ChairTerm.objects.count(), numbers()) == (0, [1, 2, 3, 4])


@pytest.mark.django_db
def test_save_row_without_what_it_needs_names_the_field() -> None:
    with pytest.raises(InvalidInput) as refusal, recording("system", at=AT) as log:
        log.save(Body(kind="council", name_zh="理事会"), "body.added")

    assert [(error.field, error.code) for error in refusal.value.errors] == [
        ("alliance", "required")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"name_zh": "联\x00盟"}, ("name_zh", "unkeepable_character")),
        ({"name_zh": "联\ud800盟"}, ("name_zh", "unkeepable_character")),
        ({"name_zh": "联\x1b盟"}, ("name_zh", "unkeepable_character")),
        ({"name_zh": "联" * 201}, ("name_zh", "max_length")),
        ({"description_zh": "联" * 10_000_000}, ("description_zh", "max_length")),
        ({"founded_on": date(1, 1, 1)}, ("founded_on", "date_out_of_range")),
        ({"founded_on": date(9999, 12, 31)}, ("founded_on", "date_out_of_range")),
        ({"founded_on": "yesterday"}, ("founded_on", "invalid")),
        ({"kind": "fleet"}, ("kind", "invalid_choice")),
    ],
)
def test_save_value_that_cannot_be_kept_names_the_field(
    values: dict[str, Any], error: tuple[str, str]
) -> None:
    alliance = an_alliance()
    for name, value in values.items():
        setattr(alliance, name, value)

    with pytest.raises(InvalidInput) as refusal, recording("system", at=AT) as log:
        log.save(alliance, "alliance.founded")

    assert [(found.field, found.code) for found in refusal.value.errors] == [error]
    assert (Alliance.objects.count(), numbers()) == (0, [])


@pytest.mark.django_db
@pytest.mark.parametrize("number", [-1, 32_768, 10**30])
def test_save_number_out_of_range_names_the_field(number: int) -> None:
    body = Body(alliance=founded(), kind="council", name_zh="理事会", term_years=number)

    with pytest.raises(InvalidInput) as refusal, recording("system", at=AT) as log:
        log.save(body, "body.added")

    assert [(found.field, found.code) for found in refusal.value.errors] == [
        ("term_years", "number_out_of_range")
    ]


@pytest.mark.parametrize("reason", ["\x00", "\udfff", "久" * 501])
def test_recording_for_a_reason_that_cannot_be_kept_is_refused(reason: str) -> None:
    with pytest.raises(InvalidInput) as refusal, recording("system", at=AT, reason=reason):
        pass

    assert [error.field for error in refusal.value.errors] == ["reason"]
