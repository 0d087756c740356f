"""Filters of lists: declared as django-filter sets, strict about what they are given.

A parameter that the list does not know, one given twice, a value that cannot be taken and a span
that ends before it begins are each a 400 that names the parameters. Nothing is ever filtered
less than was asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as django_filters
from rest_framework.request import Request

from coordination.rest.problem_kinds import INVALID_INPUT
from coordination.rest.problems import InputError, Problem, ProblemError, escaped

BACKWARDS = "ends_before_it_begins"
FROM, TO = "from", "to"


class ResourceFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Base class of filter sets. Each filter may say `help_text`: it goes into the schema.

    Only the filters that a request names are built; to build all of them costs more than the
    page itself.
    """

    base_filters: Any

    def __init__(self, data: Any = None, queryset: Any = None, **options: Any) -> None:
        if data is not None:
            all_filters: Any = vars(type(self))["base_filters"]
            self.base_filters = {
                name: one
                for name, one in all_filters.items()
                if name in data or one.extra.get("required")
            }
        super().__init__(data, queryset, **options)

    def is_valid(self) -> bool:
        """Return whether every value can be taken, and `from` is not later than `to`."""
        if not super().is_valid():
            return False
        cleaned = self.form.cleaned_data
        first, last = cleaned.get(FROM), cleaned.get(TO)
        if first is None or last is None or first <= last:
            return True
        for name in (FROM, TO):
            self.form.add_error(name, ValidationError(_backwards(FROM, TO), code=BACKWARDS))
        return False


class WholeNumberFilter(django_filters.NumberFilter):  # type: ignore[misc]
    """A whole number; 2028.5 is refused, not cut."""

    field_class = forms.IntegerField


class StrictFilterBackend(django_filters.DjangoFilterBackend):  # type: ignore[misc]
    """Lets the schema find the filters; the filtering itself is `filtered`."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """Return the queryset as the filters leave it."""
        return filtered(queryset, request._request.GET, view.filterset_class, own=())


def filtered(
    queryset: QuerySet[Any],
    query: QueryDict,
    filterset_class: type[Any] | None,
    *,
    own: Collection[str],
) -> QuerySet[Any]:
    """Return the rows that pass the filters in the query.

    Args:
        queryset: the rows that the viewer may see.
        query: the parameters.
        filterset_class: the filters of the list, or None.
        own: parameters that are none of the filters' business.

    Raises:
        ProblemError: a parameter is not known, given twice, or has a value that cannot be taken.
    """
    asked = [name for name in query if name not in own]
    if not query:
        return queryset
    known = parameter_names(filterset_class)
    refuse_unknown(query, {*known, *own})
    if not asked or filterset_class is None:
        return queryset
    filters = filterset_class(data=query, queryset=queryset)
    if not filters.is_valid():
        raise _problem(
            [
                InputError(f"/{escaped(name)}", error.code or "invalid", message, parameter=name)
                for name, problems in filters.form.errors.as_data().items()
                for error in problems
                for message in error.messages
            ]
        )
    rows: QuerySet[Any] = filters.qs
    return rows


def refuse_unknown(query: QueryDict, known: Collection[str]) -> None:
    """Go on when every parameter is known and given once.

    Raises:
        ProblemError: otherwise; it names each.
    """
    errors = []
    for name, values in query.lists():
        if name not in known:
            words, code = _("There is no such parameter."), "unknown_parameter"
        elif len(values) > 1:
            words, code = _("This parameter is given more than once."), "repeated"
        else:
            continue
        errors.append(InputError(f"/{escaped(name)}", code, words, parameter=name))
    if errors:
        raise _problem(errors)


def refuse_backwards(
    first: datetime | None, last: datetime | None, *, names: tuple[str, str]
) -> None:
    """Go on when a span that parameters set does not end before it begins.

    Args:
        first: the beginning of the span; None where it is open.
        last: its end; None where it is open.
        names: of their parameters.

    Raises:
        ProblemError: it does; it names both.
    """
    if first is None or last is None or first <= last:
        return
    words = _backwards(*names)
    raise _problem([InputError(f"/{name}", BACKWARDS, words, parameter=name) for name in names])


def _backwards(first: str, last: str) -> str:
    words = gettext("“%(first)s” is later than “%(last)s”. Exchange them, or change one of them.")
    return words % {"first": first, "last": last}


def parameter_names(filterset_class: type[Any] | None) -> list[str]:
    """Return the names of the parameters that a filter set takes."""
    return [] if filterset_class is None else list(filterset_class.base_filters)


def _problem(errors: list[InputError]) -> ProblemError:
    names = ", ".join(error.parameter for error in errors)
    detail = f"{names}: {errors[0].message}"
    return ProblemError(Problem(INVALID_INPUT, detail=detail, errors=tuple(errors)))
