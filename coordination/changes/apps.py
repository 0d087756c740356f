"""The change log as a Django app."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """The one change log."""

    name = "coordination.changes"
    label = "changes"
    default_auto_field = "django.db.models.BigAutoField"
