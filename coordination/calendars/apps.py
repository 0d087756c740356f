"""The app that holds calendars."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarsConfig(AppConfig):
    """How others keep a copy: feeds and calendar protocols."""

    name = "coordination.calendars"
    label = "calendars"
    verbose_name = _("Calendars")
