"""Command export_plan: write a plan as a workbook in the secretariat's own layout."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from alliances.models import Plan
from coordination.accounts.viewer import SYSTEM
from coordination.workbooks.writing import file_name, write_plan

REFUSED = 2


class Command(BaseCommand):
    """Export a plan; importing the file again changes nothing."""

    help = "Write a plan as an .xlsx workbook, to a file or with --out - to standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("--alliance", required=True, metavar="SLUG")
        parser.add_argument("--year", type=int, help="short form of --plan for an annual plan")
        parser.add_argument("--plan", default="", metavar="SLUG", help="the plan's short address")
        parser.add_argument("--out", default="", metavar="FILE", help="the file; - for output")

    def handle(self, **options: Any) -> None:
        """Write the file and print its name."""
        slug = options["plan"] or str(options["year"] or "")
        if not slug:
            raise CommandError("Say which plan: --year or --plan.", returncode=REFUSED)
        plans = Plan.objects.filter(alliance__slug=options["alliance"], slug=slug)
        plan = plans.select_related("alliance").first()
        if plan is None:
            words = f"There is no plan “{slug}” of an alliance “{options['alliance']}”."
            raise CommandError(words, returncode=REFUSED)
        data = write_plan(plan, viewer=SYSTEM)
        if options["out"] == "-":
            sys.stdout.buffer.write(data)
            return
        path = Path(options["out"] or file_name(plan))
        try:
            path.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=REFUSED) from None
        self.stdout.write(str(path))
