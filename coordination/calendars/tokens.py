"""Sync tokens: where in the log a copy stands, and what it is a copy of.

A token is one line of ``[A-Za-z0-9._-]``, the same in JSON and CalDAV::

    1.<number>.<subject>.<scopes>[.<target>.<base>.<after>].<seal>

``number`` is the change up to which the copy is fresh; ``subject`` a fingerprint of what it is a
copy of (filter, person, language, form); ``scopes`` the name of the set of scopes that it was made
with; ``target``, ``base`` and ``after`` say how far the change to another set of scopes was told,
since it was noticed at the number ``base``. The seal
is made with the log's epoch, which never leaves the building: a token of another installation, of
a time that a restore has undone, or of nobody, has no seal that fits. So a token can claim
nothing that its holder was not given.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from coordination.accounts.viewer import Viewer, scopes_of
from coordination.calendars.models import ScopeSet
from coordination.changes.models import WHOLE_LOG, Counter, Scope
from coordination.changes.refusals import Refusal
from coordination.statements import row_of

FORMAT = "1"
DIGEST_LENGTH = 22
# By hand, because a poll without news costs little more than this.
WATERMARK_SQL = f"""
    SELECT counter.epoch, counter.value,
           (SELECT MAX(last_number) FROM {Scope._meta.db_table} WHERE name IN ({{marks}})),
           (SELECT digest FROM {ScopeSet._meta.db_table} WHERE digest = %s)
    FROM {Counter._meta.db_table} AS counter
"""
_TOKEN = re.compile(
    r"1\.(?P<number>0|[1-9][0-9]{0,17})\.(?P<subject>[0-9a-f]{22})\.(?P<scopes>[0-9a-f]{22})"
    r"(\.(?P<target>[0-9a-f]{22})\.(?P<base>0|[1-9][0-9]{0,17})\.(?P<after>[0-9a-f]{32}))?"
    r"\.(?P<seal>[0-9a-f]{22})"
)


class TokenRefused(Refusal):
    """The token is no longer, or never was, one for this copy: start anew without one."""

    code = "sync_token_refused"
    default_message = _(
        "This sync token cannot be used any more, or is not for this. "
        "Read everything anew without a token."
    )


@dataclass(frozen=True, slots=True)
class Watermark:
    """Where the log stands for somebody.

    Attributes:
        epoch: of the log; a restore that lost changes begins another one. Not for outside.
        end: number of the last change of all; what concerns nobody here makes no difference.
        number: of the last change that concerned one of the scopes.
        scopes: those that are held now.
        digest: the name of this set of scopes.
    """

    epoch: UUID
    end: int = field(compare=False)
    number: int
    scopes: frozenset[str]
    digest: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a sync token says.

    Attributes:
        number: the change up to which the copy is fresh.
        subject: fingerprint of what it is a copy of, see `subject_of`.
        scopes: name of the set of scopes it was made with.
        target: name of the set of scopes it is being changed to; "" when it is not.
        base: the number at which the copy was all made with `scopes`; `number` without a target.
        after: the event up to which the change of scopes is told; None at its beginning.
    """

    number: int
    subject: str
    scopes: str
    target: str = ""
    base: int = 0
    after: UUID | None = None

    def written(self, epoch: UUID) -> str:
        """Return the token as clients keep it."""
        parts = [FORMAT, str(self.number), self.subject, self.scopes]
        if self.target:
            parts += [self.target, str(self.base), (self.after or UUID(int=0)).hex]
        return ".".join([*parts, _seal(parts, epoch)])


def read_token(text: str, *, epoch: UUID, subject: str) -> Token:
    """Return what a token says.

    Args:
        text: as the client sent it.
        epoch: the log's.
        subject: what the client wants news of now.

    Raises:
        TokenRefused: it is garbage, forged, of another installation, person, filter or form.
    """
    match = _TOKEN.fullmatch(text)
    if match is None:
        raise TokenRefused
    parts = text.split(".")
    if not hmac.compare_digest(parts[-1], _seal(parts[:-1], epoch)) or match["subject"] != subject:
        raise TokenRefused
    after = match["after"]
    return Token(
        number=int(match["number"]),
        subject=subject,
        scopes=match["scopes"],
        target=match["target"] or "",
        base=int(match["base"] or match["number"]),
        after=UUID(after) if after and int(after, 16) else None,
    )


def watermark_of(viewer: Viewer) -> Watermark:
    """Return where the log stands for a viewer; one query, the same however much there is.

    A set of scopes that was never seen before is written down, so that tokens can name it.
    """
    scopes = _held_by(viewer)
    digest = _digest(" ".join(sorted(scopes)))
    marks = ", ".join(["%s"] * len(scopes))
    row = row_of(WATERMARK_SQL.format(marks=marks), [*scopes, digest])
    if row is None:  # an emptied database
        Counter.objects.bulk_create([Counter(pk=1)], ignore_conflicts=True)
        return watermark_of(viewer)
    epoch, end, number, known = row
    if known is None:
        ScopeSet.objects.bulk_create(
            [ScopeSet(digest=digest, names=" ".join(sorted(scopes)))], ignore_conflicts=True
        )
    return Watermark(UUID(str(epoch)), end, number or 0, scopes, digest)


def _held_by(viewer: Viewer) -> frozenset[str]:
    """Return the scopes of a viewer; whoever sees all still acts for some organizations only."""
    names = frozenset(scopes_of(viewer))
    if not viewer.is_unlimited:
        return names
    return frozenset(
        name for name in names if name == WHOLE_LOG or name.startswith("organization:")
    )


def scopes_named(digest: str) -> frozenset[str]:
    """Return the scopes of a set.

    Raises:
        TokenRefused: there is no such set here.
    """
    names = ScopeSet.objects.filter(digest=digest).values_list("names", flat=True).first()
    if names is None:
        raise TokenRefused
    return frozenset(names.split())


def subject_of(*parts: str) -> str:
    """Return the fingerprint of what a copy is of."""
    return _digest("\0".join(parts))


def _seal(parts: list[str], epoch: UUID) -> str:
    content = ".".join(parts).encode()
    return hmac.new(epoch.bytes, content, hashlib.sha256).hexdigest()[:DIGEST_LENGTH]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]
