"""Where the log stands for a viewer: one small query that decides whether anything is new."""

from __future__ import annotations

from django.db import connection

from coordination.accounts.viewer import Viewer, scopes_of
from coordination.changes.models import WHOLE_LOG, Counter, Scope

_SCOPES = Scope._meta.db_table
_COUNTER = Counter._meta.db_table


def revisions_for(viewer: Viewer) -> tuple[tuple[str, int], ...]:
    """Return the revision of each scope the viewer holds, and the log's epoch, sorted.

    While it stands still, so does all that the viewer may see. The epoch is part of it because a
    restored installation may give a number out a second time.
    """
    names = (WHOLE_LOG,) if viewer.is_unlimited else scopes_of(viewer)
    marks = ", ".join(["%s"] * len(names))
    statement = (
        f'SELECT name, last_number FROM "{_SCOPES}" WHERE name IN ({marks}) '
        f'UNION ALL SELECT CAST(epoch AS varchar(36)), 0 FROM "{_COUNTER}"'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, list(names))
        return tuple(sorted(cursor.fetchall()))


def rights_of(viewer: Viewer, *, personal: bool) -> str:
    """Return what decides, beside the revisions, which bytes a viewer gets.

    Two viewers with the same rights share answers, unless the list is `personal`.
    """
    person = viewer.user_id if personal else None
    return repr((viewer.is_unlimited, sorted(viewer.grants), person))
