"""Say how one wants to be told. Wishes are each reader's own; nobody sets another's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer
from coordination.changes.refusals import FieldError, InvalidInput, NotAllowed
from coordination.deliveries.models import Wishes
from coordination.deliveries.news import PERSONAL_CHANNELS, STOPPABLE, News
from coordination.deliveries.personal import Digest
from coordination.deliveries.recipients import own_recipients

MUST_COME = _("These ask something of you and cannot be stopped. Choose at least one way.")


def own_key(viewer: Viewer) -> str:
    """Return the key under which the viewer is written to; "" for nobody."""
    own = own_recipients(viewer)
    found = own.values_list("recipient", flat=True).first() if own is not None else None
    return str(found or "")


def wishes_of(recipient: str) -> Wishes:
    """Return a reader's wishes; those of somebody who has said nothing are not stored."""
    return Wishes.objects.filter(recipient=recipient).first() or Wishes(recipient=recipient)


def change_wishes(
    *,
    viewer: Viewer,
    at: datetime,
    channels: Mapping[str, Sequence[str]],
    digest: str,
    quiet_from: time | None,
    quiet_until: time | None,
) -> Wishes:
    """Say over which channels, when, and how gathered the viewer wants to be told.

    Args:
        viewer: whose wishes they are.
        at: now, aware.
        channels: kind of news to channels; a kind that is left out stays as it is.
        digest: window in which mail is gathered.
        quiet_from: wall time at which no more mail goes out; None for no quiet hours.
        quiet_until: wall time from which it does again.

    Raises:
        NotAllowed: nobody is written to under this account.
        InvalidInput: a kind or a channel is not known, one that must come would not, or quiet
            hours lack an end.
    """
    key = own_key(viewer)
    if not key:
        raise NotAllowed(
            _("No person is tied to this account, so nothing is sent to it. Ask the secretariat.")
        )
    errors = [*_wrong_channels(channels), *_wrong_times(digest, quiet_from, quiet_until)]
    if errors:
        raise InvalidInput(errors)
    with transaction.atomic():
        wishes, _made = Wishes.objects.select_for_update().get_or_create(recipient=key)
        wishes.channels |= {kind: sorted(set(chosen)) for kind, chosen in channels.items()}
        wishes.digest = digest
        wishes.quiet_from, wishes.quiet_until = quiet_from, quiet_until
        wishes.changed_at = at
        wishes.save()
    return wishes


def stop_news(recipient: str, kinds: Iterable[News], *, at: datetime) -> Wishes:
    """Send no more mail of these kinds to a reader; the inbox goes on as it was.

    What may not be stopped is left as it is; urgent messages still come.

    Args:
        recipient: key of the reader, as a signed link or the viewer's own gives it.
        kinds: what to stop.
        at: now, aware.
    """
    return _set_mail(recipient, kinds, wanted=False, at=at)


def resume_news(recipient: str, kinds: Iterable[News], *, at: datetime) -> Wishes:
    """Take back what `stop_news` did."""
    return _set_mail(recipient, kinds, wanted=True, at=at)


def _set_mail(recipient: str, kinds: Iterable[News], *, wanted: bool, at: datetime) -> Wishes:
    with transaction.atomic():
        wishes, _made = Wishes.objects.select_for_update().get_or_create(recipient=recipient)
        for kind in kinds:
            if kind in STOPPABLE:
                chosen = {name for name in PERSONAL_CHANNELS if wishes.takes(kind, name)}
                chosen = chosen | {"email"} if wanted else chosen - {"email"}
                wishes.channels[str(kind)] = sorted(chosen)
        wishes.changed_at = at
        wishes.save()
    return wishes


def _wrong_channels(channels: Mapping[str, Sequence[str]]) -> list[FieldError]:
    errors = []
    for kind, chosen in channels.items():
        if kind not in News.values:
            errors.append(FieldError("channels", "unknown", _("There is no such kind of news.")))
        elif not set(chosen) <= set(PERSONAL_CHANNELS):
            known = ", ".join(PERSONAL_CHANNELS)
            among = _("Choose among: %(known)s.") % {"known": known}
            errors.append(FieldError(kind, "unknown", among))
        elif not chosen and News(kind) not in STOPPABLE:
            errors.append(FieldError(kind, "required", MUST_COME))
    return errors


def _wrong_times(
    digest: str, quiet_from: time | None, quiet_until: time | None
) -> list[FieldError]:
    errors = []
    if digest not in Digest.values:
        known = _("Choose one of: %(known)s.") % {"known": ", ".join(Digest.values)}
        errors.append(FieldError("digest", "unknown", known))
    if (quiet_from is None) != (quiet_until is None):
        field = "quiet_from" if quiet_from is None else "quiet_until"
        both = _("Quiet hours have a beginning and an end: give both, or neither.")
        errors.append(FieldError(field, "required", both))
    elif quiet_from is not None and quiet_from == quiet_until:
        whole_day = _("Quiet hours that end when they begin would be the whole day.")
        errors.append(FieldError("quiet_until", "invalid", whole_day))
    return errors
