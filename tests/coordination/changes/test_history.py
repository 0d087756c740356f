"""History in words: every field has a label in both languages, no word of the program is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.translation import override

from alliances.drafting import Line, revise_item
from alliances.models import PlanItem
from alliances.seating import revise_person
from coordination.accounts.viewer import SYSTEM
from coordination.changes.history import HIDDEN_FIELDS, history_of
from coordination.changes.kinds import all_kinds
from coordination.changes.models import UNTRACKED_COLUMNS, Change, Tracked
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.reminding import add_reminder_rule
from tests.factories import AT, Cast, make_event, make_line, make_person, make_plan, window

CHINESE = re.compile(r"[\u3400-\u9fff]")
COLUMNS = [
    (model, column)
    for model in apps.get_models()
    if issubclass(model, Tracked)
    for column in model._meta.concrete_fields
    if not column.primary_key and column.name not in UNTRACKED_COLUMNS | HIDDEN_FIELDS
]
ROOMS = [Path("alliances"), Path("events")]
KIND = re.compile(r'"((?:[a-z_]+)\.(?:[a-z_]+))"')


@pytest.mark.parametrize(
    ("model", "column"),
    COLUMNS,
    ids=[f"{model.__name__}.{column.name}" for model, column in COLUMNS],
)
def test_label_of_a_field_is_there_in_both_languages(
    model: type[models.Model], column: models.Field[object, object]
) -> None:
    with override("en"):
        assert not CHINESE.search(str(column.verbose_name))
    with override("zh-hans"):
        assert CHINESE.search(str(column.verbose_name))


def test_kinds_are_registered_and_used_and_said_in_both_languages() -> None:
    files = [file for room in ROOMS for file in room.glob("*.py") if file.name != "kinds.py"]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    nouns = {kind.name.partition(".")[0] for kind in all_kinds()}
    literal = {word for word in KIND.findall(text) if word.partition(".")[0] in nouns}
    built = set(re.findall(r'f"\{[^}]+\}\.([a-z_]+)"', text))

    known = {kind.name for kind in all_kinds()}
    assert literal - known - {"events.event"} == set()
    assert {kind for kind in known - literal if kind.partition(".")[2] not in built} == set()
    for kind in all_kinds():
        assert CHINESE.search(kind.label("zh-hans"))
        assert not CHINESE.search(kind.label("en"))


@pytest.mark.django_db
def test_history_says_windows_by_their_days(cast: Cast) -> None:
    item = make_line(make_plan(cast.alliance), "年会", window("2028-05-01", "2028-05-31", "month"))
    stored = PlanItem.objects.select_related("plan").get(pk=item.pk)
    two = [window("2028-06-01"), window()]
    revise_item(stored, Line({"windows": two}), viewer=cast.secretary, at=AT)

    fields = {field.name: field for field in history_of(item.uid, language="en")[0].fields}

    assert (fields["windows"].before, fields["windows"].after) == (
        "2028-05-01 – 2028-05-31",
        "2028-06-01; ?",
    )
    assert "precision" not in fields


@pytest.mark.django_db
def test_history_says_instants_in_the_zone_in_force_and_names_it(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    (invitation,) = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    withdraw_invitation(invitation, viewer=SYSTEM, at=AT)

    with timezone.override("Europe/Madrid"):
        (field,) = history_of(invitation.uid, language="en")[0].fields

    assert field.after == "2028-01-10 03:00 (Europe/Madrid)"


@pytest.mark.django_db
def test_history_says_whom_a_rule_reminds_in_the_readers_language(cast: Cast) -> None:
    rule = add_reminder_rule(
        cast.alliance, offset="-P7D", audience=["hosts", "named"], viewer=SYSTEM, at=AT
    )

    fields = {field.name: field.after for field in history_of(rule.uid, language="en")[0].fields}

    assert (fields["audience"], fields["channels"]) == ("hosts; the organizations named", "e-mail")


@pytest.mark.django_db
def test_log_never_holds_what_belongs_to_a_person(cast: Cast) -> None:
    person = make_person("zhang")
    revise_person(
        person,
        viewer=SYSTEM,
        at=AT,
        name_zh="张三丰",
        email="zhang@example.org",
        phone="+86 22 5555",
        title_zh="处长",
    )
    event = make_event(cast.alliance, scheduled=True)
    (invitation,) = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    answer_invitation(invitation, state="accepted", delegates=2, viewer=cast.member_liaison, at=AT)

    kept = [str(row) for row in Change.objects.values_list("diff", flat=True)]

    for value in ("张三丰", "zhang", "5555", "处长", "liaison@"):
        assert not any(value in diff for diff in kept)
