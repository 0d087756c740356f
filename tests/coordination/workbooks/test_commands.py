"""The commands: what they print, and how they exit."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from alliances.models import Plan
from coordination.changes.models import Change
from events.models import Event
from tests.coordination.workbooks.sheets import EXAMPLE, line, xlsx_of
from tests.factories import advance_plan

pytestmark = pytest.mark.usefixtures("cast", "fixed_clock")


def run(*arguments: str) -> tuple[int, str, str]:
    """Run import_plan; return exit code, output and errors."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_plan", *arguments, stdout=out, stderr=err)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def file_of(folder: Path, *rows: list[object]) -> str:
    path = folder / "plan.xlsx"
    path.write_bytes(xlsx_of(rows))
    return str(path)


def test_import_example_is_accepted() -> None:
    code, out, err = run(str(EXAMPLE), "--alliance", "jjj", "--language", "en")

    assert code == 0
    assert "21 lines · 24 events · 7 work areas" in out
    assert err.startswith("Warning 2024年计划 G9: ")
    assert Event.objects.count() == 24


def test_dry_run_prints_json_alone_and_stores_nothing() -> None:
    before = Change.objects.count()

    code, out, err = run(str(EXAMPLE), "--alliance", "jjj", "--dry-run", "--format", "json")

    answer = json.loads(out)
    assert (code, err, answer["count"], answer["applied"]) == (0, "", 24, False)
    assert (Change.objects.count(), Plan.objects.count()) == (before, 0)


def test_refused_file_exits_with_2(tmp_path: Path) -> None:
    path = file_of(tmp_path, line(1, time="2月30日"))

    text = run(path, "--alliance", "jjj", "--language", "en")
    code, out, _err = run(path, "--alliance", "jjj", "--format", "json")

    assert (text[0], code) == (2, 2)
    assert "G3" in text[2]
    assert [each["cell"] for each in json.loads(out)["problems"]] == ["G3"]
    assert Plan.objects.count() == 0


def test_missing_file_and_unknown_alliance_exit_with_2(tmp_path: Path) -> None:
    missing = run(str(tmp_path / "none.xlsx"), "--alliance", "jjj")
    folder = run(str(tmp_path), "--alliance", "jjj")
    unknown = run(str(EXAMPLE), "--alliance", "nowhere")

    assert [code for code, _out, _err in (missing, folder, unknown)] == [2, 2, 2]
    assert "nowhere" in unknown[2]
    _code, out, _err = run(str(EXAMPLE), "--alliance", "nowhere", "--format", "json")
    assert json.loads(out)["problems"][0]["code"] == "alliance_not_found"


def test_adopted_plan_without_a_reason_exits_with_2(tmp_path: Path) -> None:
    run(file_of(tmp_path, line(1, "对接会")), "--alliance", "jjj")
    advance_plan(Plan.objects.get(), "adopted")
    path = file_of(tmp_path, line(1, "对接会", "6月"))

    refused = run(path, "--alliance", "jjj", "--format", "json")
    taken = run(path, "--alliance", "jjj", "--reason", "改期")

    problem = json.loads(refused[1])["problems"][0]
    assert (refused[0], taken[0]) == (2, 0)
    assert (problem["severity"], problem["code"]) == ("error", "reason_required")


def test_edited_file_prints_each_change(tmp_path: Path) -> None:
    run(file_of(tmp_path, line(1, "对接会"), line(2, "走访")), "--alliance", "jjj")

    path = file_of(tmp_path, line(1, "对接会", "6月"))
    _code, out, _err = run(path, "--alliance", "jjj", "--dry-run", "--language", "en")

    assert "  3 time: 5月14日 → 6月" in out
    assert "  − 走访" in out


def test_export_and_import_again_changes_nothing(tmp_path: Path) -> None:
    run(str(EXAMPLE), "--alliance", "jjj")
    before, path = Change.objects.count(), tmp_path / "out.xlsx"

    out = StringIO()
    call_command(
        "export_plan", "--alliance", "jjj", "--year", "2024", "--out", str(path), stdout=out
    )
    code, _out, _err = run(str(path), "--alliance", "jjj")

    assert (out.getvalue().strip(), code, Change.objects.count()) == (str(path), 0, before)


def test_export_names_its_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(str(EXAMPLE), "--alliance", "jjj")
    monkeypatch.chdir(tmp_path)

    call_command("export_plan", "--alliance", "jjj", "--plan", "2024", stdout=StringIO())

    assert [path.name for path in tmp_path.iterdir()] == ["jjj-2024-plan.xlsx"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--alliance", "jjj"),
        ("--alliance", "jjj", "--year", "1999"),
        ("--alliance", "nowhere", "--year", "2024"),
    ],
)
def test_export_of_no_plan_exits_with_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("export_plan", *arguments)

    assert caught.value.returncode == 2


def test_export_to_a_place_that_is_none_exits_with_2(tmp_path: Path) -> None:
    run(str(EXAMPLE), "--alliance", "jjj")

    with pytest.raises(CommandError) as caught:
        call_command(
            "export_plan",
            "--alliance",
            "jjj",
            "--year",
            "2024",
            "--out",
            str(tmp_path / "a/b.xlsx"),
        )

    assert caught.value.returncode == 2
