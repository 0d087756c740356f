"""The app that holds events."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """What happens: events, from a plan line to a thing that was held."""

    name = "events"
    label = "events"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Fill the registries of the lower layers."""
        from alliances.followers import register_follower
        from coordination.accounts.scoping import register_resources
        from coordination.changes.kinds import register_kinds
        from coordination.changes.projections import register_projection
        from coordination.deliveries.chores import register_chore
        from coordination.deliveries.querysets import register_visibility
        from coordination.deliveries.sources import register_source
        from events.arming import keep_reminders
        from events.following import EventsFollowPlans
        from events.group_owners import register_group_owners
        from events.kinds import KINDS
        from events.retiring import retire_cancelled_events
        from events.rezoning import follow_zone_data
        from events.telling import Reminders, ledger_of_secretariats, tell_groups_ahead

        register_kinds(KINDS)
        register_resources(["events"])
        register_follower(EventsFollowPlans())
        register_projection(keep_reminders)
        register_source(Reminders())
        register_visibility(ledger_of_secretariats)
        register_chore(
            "retire cancelled events",
            lambda at: retire_cancelled_events(at=at),
            every=timedelta(hours=6),
        )
        register_chore(
            "follow zone data", lambda at: follow_zone_data(at=at), every=timedelta(hours=6)
        )
        _register_answers()
        _register_chasing()
        register_group_owners()
        register_chore("tell groups ahead", tell_groups_ahead, every=timedelta(seconds=20))


def _register_answers() -> None:
    """Register how people are invited, and how their answers come in."""
    from coordination.accounts.scoping import register_resources
    from coordination.deliveries.chores import register_chore
    from coordination.deliveries.freshness import register_watch
    from coordination.deliveries.sources import register_source
    from coordination.deliveries.subscribers import register_subscriber
    from events.inbound import forget_old, read_waiting
    from events.invitation_mail import Invitations
    from events.invitation_notices import InvitationNews
    from events.mailbox import EVERY, Fetcher, failing_mailboxes

    register_resources(["inbound-mail"])
    register_source(Invitations())
    register_subscriber(InvitationNews())
    register_watch(failing_mailboxes)
    register_chore("fetch mail", Fetcher().begin, every=EVERY)
    register_chore(
        "read mail that came in", lambda at: read_waiting(at=at), every=timedelta(seconds=2)
    )
    register_chore("forget old mail", lambda at: forget_old(at=at), every=timedelta(hours=6))


def _register_chasing() -> None:
    """Register what organizations owe, how it is chased, and the days that are worked."""
    from coordination.accounts.viewer import SYSTEM
    from coordination.changes.projections import register_projection
    from coordination.deliveries.chores import register_chore
    from coordination.deliveries.sources import register_source
    from coordination.deliveries.subscribers import register_subscriber
    from events.demanding import DutiesFollowEvents, settle_all
    from events.marking import fill_holidays
    from events.pursuing import keep_chases
    from events.urging import Chases, SuccessorsAreTold

    register_projection(keep_chases)
    register_subscriber(DutiesFollowEvents())
    register_subscriber(SuccessorsAreTold())
    register_source(Chases())
    register_chore("settle duties", lambda at: settle_all(at=at), every=timedelta(hours=6))
    register_chore(
        "take holidays over",
        lambda at: fill_holidays(viewer=SYSTEM, at=at),
        every=timedelta(hours=12),
    )
