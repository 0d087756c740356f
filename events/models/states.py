"""Where an event stands, and how people take part in it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventState(models.TextChoices):
    """Where an event stands: planned → scheduled → confirmed → held; or postponed, cancelled."""

    PLANNED = "planned", _("planned")
    SCHEDULED = "scheduled", _("scheduled")
    CONFIRMED = "confirmed", _("confirmed")
    POSTPONED = "postponed", _("postponed")
    CANCELLED = "cancelled", _("cancelled")
    HELD = "held", _("held")


class EventFormat(models.TextChoices):
    """How people take part."""

    ONSITE = "onsite", _("on site")
    ONLINE = "online", _("online")
    HYBRID = "hybrid", _("on site and online")


ENDED_STATES = (EventState.HELD, EventState.CANCELLED)
