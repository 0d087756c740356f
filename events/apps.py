"""The app that holds events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """What happens: events, from a plan line to a thing that was held."""

    name = "events"
    label = "events"
    verbose_name = _("Events")
