"""``manage.py backup DIR``: a consistent copy of the running installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coordination.starting.copies import CopyRefused, make_copy


class Command(BaseCommand):
    """Copy database, uploads and local key into a new folder."""

    help = "Copies the running installation into DIR, which must be new or empty."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder."""
        parser.add_argument("dir", type=Path, metavar="DIR")

    def handle(self, *, dir: Path, **_options: Any) -> None:
        """Make the copy."""
        try:
            manifest = make_copy(dir)
        except CopyRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Copied to {dir}: change {manifest['counter']}, {manifest['files']} uploaded files."
        )
