"""``manage.py restore DIR [--after-loss]``: a copy into an empty installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.starting.copies import CopyRefused, restore_copy


class Command(BaseCommand):
    """Restore what ``backup`` made."""

    help = "Restores the copy in DIR into this installation, which must be empty."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder, and whether something was written after the copy was made."""
        parser.add_argument("dir", type=Path, metavar="DIR")
        parser.add_argument(
            "--after-loss",
            action="store_true",
            help="changes made after the copy are lost: begin a new epoch of sync tokens",
        )

    def handle(self, *, dir: Path, after_loss: bool, **_options: Any) -> None:
        """Restore it and say what staff have to do."""
        try:
            manifest = restore_copy(dir, after_loss=after_loss)
        except CopyRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {dir}: change {manifest['counter']}, {manifest['made_at']}.")
        self.stdout.write("Messages that fell due since then are held until staff release them.")
        if not after_loss:
            self.stdout.write(
                "Sync tokens go on. If anything was written after the copy was made, "
                "restore again, into an empty installation, with --after-loss."
            )
