"""Refusals: what is wrong with a request, said so that a person knows what to do.

Verbs raise them, faces translate them (the API to RFC 9457 documents, pages to a sentence beside
the field, commands to a line and an exit code). The message is lazy, so that it is put into
words in the reader's language, not in the language of the code that raised it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Message = str | Promise


class Refusal(Exception):
    """A request that is refused; everything stays as it was.

    Attributes:
        code: a stable snake_case word for programs.
        message: a sentence for people, translated when it is shown.
        field: the name of the input field it is about, or "" when it is about the whole.
    """

    code = "refused"
    default_message: Message = _("This cannot be done.")

    def __init__(
        self, message: Message | None = None, *, code: str | None = None, field: str = ""
    ) -> None:
        self.message: Message = self.default_message if message is None else message
        self.code = code or type(self).code
        self.field = field
        super().__init__(self.code)

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(Refusal):
    """The viewer may see the object but may not do this to it."""

    code = "not_allowed"
    default_message = _("You do not have the right to do this. Ask the secretariat.")


class NotVisible(Refusal):
    """The object does not exist for this viewer."""

    code = "not_found"
    default_message = _("Nothing was found here, or it is not open to you.")


class TransitionNotAllowed(Refusal):
    """The object's state does not lead where the verb wants to go."""

    code = "transition_not_allowed"
    default_message = _("This is not possible in the present state.")


class StaleVersion(Refusal):
    """The row changed after it was read: somebody else saved first.

    Attributes:
        current: the row as it stands now, or None when it was deleted.
        mine: the row as the caller wanted it, or None.
    """

    code = "stale_version"
    default_message = _(
        "Somebody else has changed this in the meantime. Look at the present version, "
        "then make your change again."
    )

    def __init__(self, *, current: Any = None, mine: Any = None) -> None:
        super().__init__()
        self.current = current
        self.mine = mine


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one input field ("" for the whole input)."""

    field: str
    code: str
    message: Message


class InvalidInput(Refusal):
    """Input that cannot be taken; `errors` names each field and what to do about it."""

    code = "invalid_input"
    default_message = _("Some of the input cannot be taken. See what is said for each field.")

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__()
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return " ".join(str(error.message) for error in self.errors) or str(self.message)


def invalid(field: str, message: Message, *, code: str = "invalid") -> InvalidInput:
    """Return an `InvalidInput` about a single field."""
    return InvalidInput([FieldError(field, code, message)])
