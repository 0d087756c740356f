"""What a token can be limited to: single alliances, named by their slugs."""

from __future__ import annotations

from alliances.models import Alliance
from coordination.accounts.scoping import LimitKind
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized


def find_alliance(slug: str) -> int | None:
    """Return the primary key of the alliance with this slug."""
    return Alliance.objects.filter(slug=slug).values_list("pk", flat=True).first()


def own_alliances(viewer: Viewer) -> list[tuple[int, str]]:
    """Return key and name of the alliances the viewer holds a right in; all for superusers."""
    rows = Alliance.objects.order_by("slug")
    if not viewer.is_unlimited:
        rows = rows.filter(pk__in={g.pk for g in viewer.grants if g.kind == "alliance"})
    return [(row.pk, localized(row, "name", viewer.language)) for row in rows]


ALLIANCE_LIMITS = LimitKind(find=find_alliance, choices=own_alliances)
