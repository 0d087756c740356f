"""Inputs: what a request may write, cleaned, as keyword arguments for a verb.

    class AreaInput(Input):
        texts = {"name": 200}
        position = serializers.IntegerField(required=False, min_value=1)
        website = Text(max_length=200)

A text pair is written as `name_i18n: {"zh": …, "en": …}`, or as `name` in the language of the
request; it arrives at the verb as `name_zh` and `name_en`. A field that is not declared is
refused. In a merge patch what is left out stays and null clears (RFC 7396): a `Text` becomes
empty, and only a field with `allow_null=True` becomes null.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from coordination.bilingual import ENGLISH


class Text(serializers.CharField):
    """A text that may be left out; null clears it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "allow_null": True, **options})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the text; null is the empty text."""
        return super().run_validation("" if data is None and self.allow_null else data)

    def to_internal_value(self, data: Any) -> str:
        """Return the text; a number is not one."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Reference(serializers.Field[Any, Any, Any, Any]):
    """Another object, by its outside id; it must be one that the viewer may see.

    Args:
        model: a name such as "alliances.Organization", or a model; its manager has `visible_to`.
        by: the outside id: "uid", or "slug".
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown": _("There is no such object, or it is not open to you."),
        "invalid": _("Give its identifier as text."),
    }

    def __init__(self, model: Any, *, by: str = "uid", **options: Any) -> None:
        super().__init__(**options)
        self.model, self.by = model, by
        form = {"format": "uuid"} if by == "uid" else {}
        self._spectacular_annotation = {"field": {"type": "string", **form}}

    def to_internal_value(self, data: Any) -> Any:
        """Return the object.

        Raises:
            ValidationError: there is none that the viewer may see.
        """
        if not isinstance(data, str):
            self.fail("invalid")
        if self.by == "uid":
            try:
                data = uuid.UUID(data)
            except ValueError:
                self.fail("unknown")
        model = apps.get_model(self.model) if isinstance(self.model, str) else self.model
        viewer = self.context["view"].viewer
        found = model.objects.visible_to(viewer).filter(**{self.by: data}).first()
        if found is None:
            self.fail("unknown")
        return found

    def to_representation(self, value: Any) -> str:
        """Return the outside id."""
        return str(getattr(value, self.by))


class TextPairInput(serializers.Serializer[Any]):
    """A text in Chinese, in English, or in both; each may be cleared by null."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(**options)
        self.fields["zh"] = Text(max_length=max_length)
        self.fields["en"] = Text(max_length=max_length)

    def to_internal_value(self, data: Any) -> Any:
        """Return the texts given, by language."""
        if isinstance(data, Mapping):
            refuse_unknown_fields(data, self.fields)
        return super().to_internal_value(data)


class Input(serializers.Serializer[Any]):
    """Base class of inputs.

    Attributes:
        texts: names of text pairs, and how many characters each half may have.
    """

    texts: ClassVar[Mapping[str, int]] = {}

    def get_fields(self) -> dict[str, Any]:
        """Return the declared fields, and the two forms of each text pair."""
        fields = dict(super().get_fields())
        for name, length in self.texts.items():
            fields[name] = Text(
                max_length=length, help_text="The text in the language of the request."
            )
            fields[f"{name}_i18n"] = TextPairInput(max_length=length, required=False)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by column.

        Raises:
            ValidationError: a field is not known, or a value cannot be taken.
        """
        if isinstance(data, Mapping):
            refuse_unknown_fields(data, self.fields)
        values = super().to_internal_value(data)
        for name in self.texts:
            _spread(values, name)
        return values


def refuse_unknown_fields(data: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Go on when every name is known and can be written.

    Raises:
        ValidationError: otherwise; it names each.
    """
    errors: dict[str, Any] = {}
    for name in data:
        if name not in known:
            errors[str(name)] = serializers.ValidationError(
                [_("There is no such field.")], code="unknown_field"
            ).detail
        elif known[name].read_only:
            errors[str(name)] = serializers.ValidationError(
                [_("This field cannot be written.")], code="read_only"
            ).detail
    if errors:
        raise serializers.ValidationError(errors)


def _spread(values: dict[str, Any], name: str) -> None:
    """Turn both forms of a text pair into its columns; the pair wins where both are given."""
    spoken = "en" if translation.get_language() == ENGLISH else "zh"
    if name in values:
        values[f"{name}_{spoken}"] = values.pop(name)
    for language, text in values.pop(f"{name}_i18n", {}).items():
        values[f"{name}_{language}"] = text
