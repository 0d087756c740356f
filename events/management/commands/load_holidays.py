"""`manage.py load_holidays`: take public holidays over from the library, or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import InvalidInput
from events.marking import fill_holidays, take_over_file


class Command(BaseCommand):
    """Brings the table of holidays up to date; running it again changes nothing."""

    help = "Takes public holidays and make-up working days over."

    def add_arguments(self, parser: CommandParser) -> None:  # noqa: D102 - Django's signature
        parser.add_argument("--country", action="append", help="Two letters; all in use if none.")
        parser.add_argument("--year", action="append", type=int, help="Last year to two ahead.")
        parser.add_argument("--file", help="CSV: day, country, kind, name_zh, name_en.")
        parser.add_argument("--source", default="", help="Where the file is from.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: D102 - Django's signature
        at = timezone.now()
        try:
            if options["file"]:
                path = Path(options["file"])
                content = path.read_text(encoding="utf-8")
                source = options["source"] or path.name
                taken = take_over_file(content, source=source, viewer=SYSTEM, at=at)
            else:
                taken = fill_holidays(
                    viewer=SYSTEM,
                    at=at,
                    countries=options["country"],
                    years=options["year"],
                    again=True,
                )
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from None
        except InvalidInput as refusal:
            raise CommandError("; ".join(str(one.message) for one in refusal.errors)) from None
        for country, year in taken:
            self.stdout.write(f"{country} {year}")
        self.stdout.write(f"{len(taken)} years differ from before.")
