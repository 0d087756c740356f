"""Links below mails that stop such mails: signed, good for one reader, never out of date.

Whoever holds the link may stop that news and nothing else (RFC 8058: one POST, no cookie, no
signing in). A GET changes nothing: scanners fetch every link they see.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from coordination.changes.refusals import Refusal
from coordination.deliveries.news import STOPPABLE, News

PATH = "/news/stop/"
_SALT = "coordination.deliveries.stopping"


class LinkNotValid(Refusal):
    """The link was not made here, or not whole."""

    code = "link_not_valid"
    default_message = _(
        "This link is not whole. Open it from the mail again, or sign in and choose under "
        "“My account” how you want to be told."
    )


def stop_link(recipient: str, kinds: Iterable[News]) -> str:
    """Return the address, with host, at which a reader stops these kinds of news.

    Args:
        recipient: key of the reader.
        kinds: what may be stopped.
    """
    token = signing.dumps([recipient, [str(kind) for kind in kinds]], salt=_SALT)
    # By hand: the loop that writes mails need not load every page for it.
    return f"{settings.COORDINATION_BASE_URL}{PATH}{token}/"


def read_link(token: str) -> tuple[str, list[News]]:
    """Return the reader's key and the kinds of news that a link stops.

    Raises:
        LinkNotValid.
    """
    try:
        recipient, names = signing.loads(token, salt=_SALT)
        kinds = [News(name) for name in names]
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LinkNotValid() from error
    return str(recipient), [kind for kind in kinds if kind in STOPPABLE]
