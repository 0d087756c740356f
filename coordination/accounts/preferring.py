"""Change what people decide about themselves, and mark addresses that mail came back from."""

from datetime import datetime

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from coordination.accounts.models import DEFAULT_TIME_ZONE, User
from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import FieldError, InvalidInput, NotAllowed

REASON_LENGTH = 200  # characters
_FIELD_OF_CODE = {"username_taken": "username", "email_taken": "email"}


def change_preferences(user: User, *, language: str, time_zone: str, viewer: Viewer) -> User:
    """Set the language ("" for the browser's) and the time zone (IANA) a person reads in.

    Raises:
        NotAllowed: the viewer is somebody else and no superuser.
        InvalidInput: the language is not ours or the zone is unknown.
    """
    if viewer.user_id != user.pk and not viewer.is_unlimited:
        raise NotAllowed()
    user.language = language
    user.time_zone = time_zone
    try:
        user.full_clean()
    except ValidationError as error:
        user.refresh_from_db(fields=["language", "time_zone"])
        raise refuse_validation(error) from error
    user.save(update_fields=["language", "time_zone"])
    return user


def mark_bounced(email: str, *, reason: str, at: datetime) -> int:
    """Mark an address as one that mail came back from, and answer how many people have it.

    Args:
        email: the address, in any case.
        reason: the words of the mail server, cut to 200 characters.
        at: aware instant the answer arrived.
    """
    if not email:
        return 0
    return User.objects.filter(email__iexact=email).update(
        bounced_email=email, email_bounced_at=at, email_bounce_reason=reason[:REASON_LENGTH]
    )


def refuse_validation(error: ValidationError) -> InvalidInput:
    """Turn Django's validation errors into a refusal that names each field."""
    errors = []
    for field, problems in error.error_dict.items():
        name = "" if field == NON_FIELD_ERRORS else field
        for problem in problems:
            code = problem.code or "invalid"
            message = " ".join(problem.messages)
            errors.append(FieldError(_FIELD_OF_CODE.get(code, name), code, message))
    return InvalidInput(errors)


def set_first_clock(user_id: int, *, time_zone: str) -> None:
    """Let somebody who still has the usual clock read times on that of whom they act for.

    Args:
        user_id: key of the account.
        time_zone: IANA name; the owner may choose another at any time.
    """
    User.objects.filter(pk=user_id, time_zone=DEFAULT_TIME_ZONE).update(time_zone=time_zone)
