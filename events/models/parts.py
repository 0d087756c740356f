"""What belongs to an event and is versioned with it: hosts, co-hosts, organizations named."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from alliances.models import Alliance, Organization
from coordination.changes.models import GuardedQuerySet, Part
from events.models.event import Event


class EventHost(Part):
    """A host: an organization, or a name that none is known by, such as a secretariat's."""

    owner_field = "event"
    event = models.ForeignKey(Event, models.CASCADE, related_name="hosts")
    position = models.PositiveSmallIntegerField(_("position"))
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hosted_events",
        verbose_name=_("organization"),
    )
    name = models.CharField(_("name as written"), max_length=200, blank=True)

    objects = GuardedQuerySet.as_manager()
    database_promises: ClassVar = {
        "event_host_positions_differ": ("hosts", _("Two hosts stand at the same place."))
    }

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["event", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "position"], name="event_host_positions_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name or str(self.organization)


class EventAlliance(Part):
    """A co-hosting alliance: it sees the event and is seen; the owner writes."""

    owner_field = "event"
    event = models.ForeignKey(Event, models.CASCADE, related_name="co_hosts")
    alliance = models.ForeignKey(
        Alliance, models.PROTECT, related_name="co_hosted_events", verbose_name=_("alliance")
    )

    objects = GuardedQuerySet.as_manager()
    database_promises: ClassVar = {
        "alliance_co_hosts_an_event_once": ("co_hosts", _("This alliance is a co-host already."))
    }

    class Meta:
        verbose_name = _("co-hosting alliance")
        verbose_name_plural = _("co-hosting alliances")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "alliance"], name="alliance_co_hosts_an_event_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.alliance)


class EventOrganization(Part):
    """An organization for which the event is meant, besides its hosts."""

    owner_field = "event"
    event = models.ForeignKey(Event, models.CASCADE, related_name="named")
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        related_name="named_in_events",
        verbose_name=_("organization"),
    )

    objects = GuardedQuerySet.as_manager()
    database_promises: ClassVar = {
        "event_names_an_organization_once": ("named", _("This organization is named already."))
    }

    class Meta:
        verbose_name = _("organization named")
        verbose_name_plural = _("organizations named")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "organization"], name="event_names_an_organization_once"
            )
        ]

    def __str__(self) -> str:
        return str(self.organization)
