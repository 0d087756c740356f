"""Render the calendar text of all events again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from coordination.calendars.rendering import rebuild_texts


class Command(BaseCommand):
    """`manage.py rebuild_calendars`: after the address of the installation changed.

    Text that would come out the same is left alone, so subscribers notice nothing unless
    something did change. Safe at any time, as often as one likes.
    """

    help = "Render the calendar text of all events again; only what differs is written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take ``--only-stale``."""
        parser.add_argument(
            "--only-stale",
            action="store_true",
            help="leave texts alone that this version made for this address",
        )

    def handle(self, *, only_stale: bool, verbosity: int, **_options: Any) -> None:
        """Rebuild and, unless told to be silent, say how many texts changed."""
        count = rebuild_texts(at=timezone.now(), only_stale=only_stale)
        if verbosity:
            self.stdout.write(_("%(count)d calendar texts changed.") % {"count": count})
