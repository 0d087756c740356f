"""Command import_plan: take a plan workbook in, or say what it would change."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alliances.models import Alliance, PlanKind
from coordination.accounts.viewer import SYSTEM
from coordination.bilingual import LANGUAGES
from coordination.changes.refusals import FieldError, InvalidInput, Refusal
from coordination.workbooks.containers import FILE_LIMIT
from coordination.workbooks.importing import import_plan, preview_import
from coordination.workbooks.plan_import import PlanImport

REFUSED = 2


class Command(BaseCommand):
    """Import a plan workbook: exit code 0 when it is accepted, 2 when it is refused."""

    help = "Import a plan workbook (.xlsx, .csv): a new plan, or changes of the stored one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes."""
        parser.add_argument("file", help="the workbook")
        parser.add_argument("--alliance", required=True, metavar="SLUG")
        parser.add_argument("--year", type=int, help="when neither title nor file name says it")
        parser.add_argument("--kind", choices=PlanKind.values, default=PlanKind.ANNUAL.value)
        parser.add_argument("--plan", default="", metavar="SLUG", help="the plan's short address")
        parser.add_argument("--reason", default="", help="why an adopted plan changes")
        parser.add_argument("--dry-run", action="store_true", help="change nothing, only say what")
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0])

    def handle(self, **options: Any) -> None:
        """Import, print the answer, and leave with its exit code."""
        with translation.override(options["language"]):
            try:
                answer = self._answer(options)
            except Refusal as refusal:
                self._refuse(refusal, options)
            self._print(answer, options)
            if answer.is_refused:
                raise SystemExit(REFUSED)

    def _answer(self, options: dict[str, Any]) -> PlanImport:
        path = Path(options["file"])
        try:
            with path.open("rb") as stream:
                data = stream.read(FILE_LIMIT + 1)
        except OSError as error:
            raise Refusal(f"{path}: {error.strerror}", code="file_not_readable") from None
        alliance = Alliance.objects.filter(slug=options["alliance"]).first()
        if alliance is None:
            words = _("There is no alliance “%(slug)s”.") % {"slug": options["alliance"]}
            raise Refusal(words, code="alliance_not_found")
        if options["dry_run"]:
            return preview_import(
                data,
                file_name=path.name,
                alliance=alliance,
                viewer=SYSTEM,
                year=options["year"],
                kind=options["kind"],
                slug=options["plan"],
            )
        return import_plan(
            data,
            file_name=path.name,
            alliance=alliance,
            viewer=SYSTEM,
            at=timezone.now(),
            year=options["year"],
            kind=options["kind"],
            slug=options["plan"],
            reason=options["reason"],
        )

    def _refuse(self, refusal: Refusal, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            answer = {"accepted": False, "applied": False}
            place = {"severity": "error", "sheet": None, "row": None, "column": None, "cell": None}
            found: Sequence[FieldError | Refusal] = (
                refusal.errors if isinstance(refusal, InvalidInput) else [refusal]
            )
            problems = [place | {"code": e.code, "message": str(e.message)} for e in found]
            self._print_json(answer | {"problems": problems})
        self.stderr.write(str(refusal))
        raise SystemExit(REFUSED)

    def _print(self, answer: PlanImport, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self._print_json(answer.as_json())
            return
        for words in _said(answer, is_preview=options["dry_run"]):
            self.stdout.write(words)
        for problem in answer.problems:
            place = " ".join(filter(None, [problem.sheet, problem.cell or str(problem.row or "")]))
            label = _("Error") if problem.severity.value == "error" else _("Warning")
            self.stderr.write(f"{label} {place}: {problem.message}".replace(" :", ":"))

    def _print_json(self, answer: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2))


def _said(answer: PlanImport, *, is_preview: bool) -> list[str]:
    """Return the answer in a few lines."""
    lines = len(answer.sheet.lines)
    said = [
        f"{answer.alliance.slug} {answer.slug} {answer.title}".strip(),
        ngettext("%(count)d line", "%(count)d lines", lines) % {"count": lines}
        + " · "
        + _("%(count)d events") % {"count": answer.sheet.count}
        + " · "
        + _("%(count)d work areas") % {"count": len(answer.sheet.work_areas)},
        _("new %(new)d · same %(same)d · changed %(changed)d · gone %(gone)d") % answer.counts(),
    ]
    for match in answer.changed:
        for name, (before, after) in match.cells.items():
            row = match.line.row if match.line else ""
            said.append(f"  {row} {name}: {before or '—'} → {after or '—'}")
        if match.line is None:
            said.append("  − " + str(match.item))
    if answer.is_refused:
        said.append(_("Refused: nothing was changed. Correct the errors and try again."))
    elif is_preview:
        said.append(_("Nothing was changed: this was a preview."))
    else:
        said.append(_("Imported.") if answer.has_changes else _("Nothing had changed."))
    return said
