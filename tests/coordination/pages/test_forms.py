from datetime import UTC, date, datetime

import pytest
from django import forms
from django.utils.translation import override

from coordination.accounts.models import User
from coordination.changes.refusals import (
    FieldError,
    InvalidInput,
    NotAllowed,
    StaleVersion,
    TransitionNotAllowed,
)
from coordination.pages.forms import MomentField, RowChoice, VerbForm, ZoneField


class NoteForm(VerbForm):
    field_names = {"words": "text_zh"}

    text_zh = forms.CharField(required=False)
    text_en = forms.CharField(required=False)
    on = forms.DateField(required=False)


def refused(refusal: Exception):
    def verb():
        raise refusal

    return verb


def valid_form(**data: str) -> NoteForm:
    form = NoteForm(data)
    assert form.is_valid()
    return form


def test_run_with_a_verb_that_answers_returns_its_answer():
    assert valid_form().run(lambda: 7) == 7


def test_run_with_refused_input_says_it_beside_the_field():
    errors = [FieldError("words", "x", "too long"), FieldError("gone", "y", "not here")]
    form = valid_form()

    assert form.run(refused(InvalidInput(errors))) is None
    assert form.errors == {"text_zh": ["too long"], "__all__": ["not here"]}


def test_run_with_a_refused_transition_says_it_above_the_form():
    form = valid_form()

    assert form.run(refused(TransitionNotAllowed("too late"))) is None
    assert form.errors == {"__all__": ["too late"]}


def test_run_without_the_right_leaves_the_answer_to_the_page():
    with pytest.raises(NotAllowed):
        valid_form().run(refused(NotAllowed()))


def test_run_with_a_stale_version_keeps_the_refusal():
    refusal = StaleVersion()
    form = valid_form()

    assert form.run(refused(refusal)) is None
    assert form.conflict is refusal


def test_show_both_lists_only_what_differs_and_takes_the_new_version():
    form = valid_form(text_zh="mine", text_en="same", on="2028-02-29", version="1")

    form.show_both(
        {"text_zh": "theirs", "text_en": "same", "on": date(2028, 3, 1), "other": 1}, version=4
    )

    shown = [(row.label, row.saved, row.typed) for row in form.differences]
    assert shown == [("text_zh", "theirs", "mine"), ("on", "2028-03-01", "2028-02-29")]
    assert form["version"].value() == "4"
    assert form["text_zh"].value() == "mine"


def test_clean_takes_line_ends_as_they_are_stored():
    assert valid_form(text_zh="one\r\ntwo").cleaned_data["text_zh"] == "one\ntwo"


def test_rows_puts_both_languages_side_by_side_and_hides_the_version():
    names = [[field.name for field in row] for row in NoteForm().rows()]

    assert names == [["text_zh", "text_en"], ["on"]]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2028-05-14T09:30", datetime(2028, 5, 14, 9, 30)),
        ("2028-05-14 09:30", datetime(2028, 5, 14, 9, 30)),
        ("", None),
        (datetime(2028, 5, 14, 9, 30, tzinfo=UTC), datetime(2028, 5, 14, 9, 30)),
    ],
)
def test_moment_field_reads_a_naive_wall_time(typed, read):
    assert MomentField(required=False).clean(typed) == read


def test_moment_field_with_another_text_refuses_it():
    with pytest.raises(forms.ValidationError):
        MomentField().clean("tomorrow")


def test_zone_field_takes_every_zone_that_exists_and_no_other():
    field = ZoneField()
    field.offer("America/Caracas")

    assert field.clean("Europe/Zurich") == "Europe/Zurich"
    assert field.clean("America/Caracas") == "America/Caracas"
    assert ("America/Caracas", "America/Caracas") in field.choices
    for wrong in ("Mars/Base", "../etc/passwd", "Asia"):
        with pytest.raises(forms.ValidationError):
            field.clean(wrong)


def test_row_choice_says_in_words_what_choosing_nothing_means():
    asked = RowChoice(User.objects.none(), label="x")
    free = RowChoice(User.objects.none(), label="x", required=False)
    limit = RowChoice(User.objects.none(), label="x", required=False, empty_label="any")

    with override("en"):
        words = [str(field.empty_label) for field in (asked, free, limit)]
    assert words == ["please choose", "—", "any"]
