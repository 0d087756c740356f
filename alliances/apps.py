"""Alliances as a Django app: registers its words, its grants and the names of actors."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlliancesConfig(AppConfig):
    """Who belongs, and what is planned."""

    name = "alliances"
    verbose_name = _("alliances")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the registries of the lower layers."""
        from alliances.actors import names_of_actors
        from alliances.addressing import (
            KIND,
            PeopleByUid,
            open_inboxes,
            own_deliveries,
            own_people,
        )
        from alliances.api import RESOURCES
        from alliances.expiring import record_access_changes
        from alliances.grants import grants_of
        from alliances.kinds import KINDS
        from alliances.limits import ALLIANCE_LIMITS
        from coordination.accounts.scoping import register_limit_kind, register_resources
        from coordination.accounts.viewer import register_grants
        from coordination.changes.history import register_actor_names
        from coordination.changes.kinds import register_kinds
        from coordination.deliveries.chores import register_chore
        from coordination.deliveries.querysets import register_visibility
        from coordination.deliveries.recipients import (
            register_address_book,
            register_own_recipients,
        )

        register_kinds(KINDS)
        register_grants(grants_of)
        register_limit_kind("alliance", ALLIANCE_LIMITS)
        register_resources(RESOURCES)
        register_actor_names(names_of_actors)
        register_address_book(KIND, PeopleByUid())
        register_visibility(own_deliveries)
        register_own_recipients(own_people)
        register_chore("open inboxes", lambda at: open_inboxes(at=at), every=timedelta(minutes=1))
        register_chore(
            "record access that begins or ends",
            lambda at: record_access_changes(at=at),
            every=timedelta(minutes=5),
        )
