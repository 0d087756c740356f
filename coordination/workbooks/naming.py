"""Organizations by the names that people write in plans."""

from __future__ import annotations

from alliances.models import Alliance, Membership, Organization
from alliances.models.organization import name_key


class KnownOrganizations:
    """Every organization by its names and aliases; read once, when the first name is asked for.

    Where two organizations have the same name, the alliance's own member is meant.
    """

    def __init__(self, alliance: Alliance) -> None:
        self._alliance = alliance
        self._by_key: dict[str, Organization] | None = None

    def named(self, name: str) -> Organization | None:
        """Return the organization that goes by this name, or None: a host may be anybody."""
        if self._by_key is None:
            self._by_key = self._read()
        return self._by_key.get(name_key(name))

    def _read(self) -> dict[str, Organization]:
        found: dict[str, Organization] = {}
        rows = Organization.objects.filter(merged_into__isnull=True).prefetch_related("aliases")
        by_pk = {organization.pk: organization for organization in rows.order_by("pk")}
        memberships = list(
            Membership.objects.filter(alliance=self._alliance).values_list(
                "organization_id", "display_name_zh", "display_name_en"
            )
        )
        members = {pk for pk, _zh, _en in memberships}
        for organization in sorted(by_pk.values(), key=lambda each: each.pk not in members):
            for key in sorted(name_key(name) for name in _names(organization)):
                found.setdefault(key, organization)
        for pk, *names in memberships:
            for name in filter(None, names):
                if pk in by_pk:
                    found.setdefault(name_key(name), by_pk[pk])
        return found


def _names(organization: Organization) -> list[str]:
    names = [organization.name_zh, organization.name_en, organization.name_local]
    names += [alias.name for alias in organization.aliases.all()]
    return [name for name in names if name]
