"""The app that holds calendars."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarsConfig(AppConfig):
    """How others keep a copy: feeds and calendar protocols."""

    name = "coordination.calendars"
    label = "calendars"
    verbose_name = _("Calendars")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have event texts rendered inside the recording of each change."""
        from coordination.calendars.rendering import project_texts
        from coordination.changes.projections import register_projection

        register_projection(project_texts)
