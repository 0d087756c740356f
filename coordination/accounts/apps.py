"""Name the room to Django, and close its admin to everyone but superusers."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who asks: people, their tokens, and the viewer every other room reads."""

    name = "coordination.accounts"
    label = "accounts"
    verbose_name = _("Accounts")
    default_auto_field = "django.db.models.BigAutoField"


class SuperusersAdminConfig(admin_apps.AdminConfig):
    """Django's admin, on a site of our own."""

    default = False  # this module's app is AccountsConfig
    default_site = "coordination.accounts.admin_site.SuperusersAdminSite"
