"""The rules of the house that no linter knows: names, sizes, one write path, no drift."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("alliances", "coordination", "events")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "services", "service", "misc", "tools"}
MOST_LINES = 400
MOST_TEST_LINES = 600  # a test file mirrors its module, whatever that asks for
SIGNALS = re.compile(r"django\.(core|db\.models)\.signals|django\.dispatch|@receiver\b")
BROKER_SCHEDULES = re.compile(r"\b(eta|countdown)\s*=|\.retry\(|autoretry_for|max_retries")
UNFINISHED = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|raise NotImplementedError|coming soon", re.I)
SCHEMES = re.compile(r"https?://")


def modules(*places: str, tests: bool = False) -> Iterator[Path]:
    """Our own modules, without migrations."""
    for place in places or (*PACKAGES, *(("tests",) if tests else ())):
        for path in sorted((ROOT / place).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def offenders(pattern: re.Pattern[str], *places: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in modules(*places)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_modules_are_named_for_what_happens_in_them():
    found = {
        str(path.relative_to(ROOT))
        for path in modules(tests=True)
        if {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & FORBIDDEN_NAMES
    }

    assert found == set()


def lengths(paths: Iterable[Path]) -> dict[str, int]:
    """Number of lines by path."""
    return {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in paths
    }


def test_files_stay_of_a_size():
    code = lengths([*modules(), ROOT / "bootstrap.py", ROOT / "manage.py"])
    tests = lengths(modules("tests"))

    assert {path: lines for path, lines in code.items() if lines > MOST_LINES} == {}
    assert {path: lines for path, lines in tests.items() if lines > MOST_TEST_LINES} == {}


def test_nothing_hangs_on_a_signal():
    assert offenders(SIGNALS) == []


def test_nothing_is_scheduled_or_tried_again_in_a_broker():
    assert offenders(BROKER_SCHEDULES, "coordination/deliveries") == []
    assert offenders(BROKER_SCHEDULES, "events") == []


def test_nothing_is_left_unfinished():
    assert offenders(UNFINISHED) == []


def test_there_are_no_fixtures_to_load_by_the_back_door():
    assert [path for package in PACKAGES for path in (ROOT / package).rglob("fixtures")] == []


def test_every_room_is_a_package_with_a_word_about_itself():
    folders = {path.parent for path in modules()}
    silent = [
        str(folder.relative_to(ROOT))
        for folder in sorted(folders)
        if not (folder / "__init__.py").read_text(encoding="utf-8").startswith('"""')
    ]

    assert silent == []


@pytest.mark.django_db
def test_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_import_nothing_of_ours():
    """A migration must run for ever: what it names may have moved. Columns and checks stay."""
    pattern = re.compile(
        r"^\s*(from|import) (alliances|coordination|events)\b(?!\.columns$|\.accounts\.models$)"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("migrations/*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.match(line)
    ]

    assert found == []


def test_locks_hold_hashes_and_no_addresses():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^([a-z0-9._-]+(?:\[[a-z,]+\])?)==", text, re.MULTILINE)
        assert len(pins) == len(set(pins)) > 40
        assert text.count("--hash=sha256:") >= len(pins)
        assert SCHEMES.findall(text) == []
        assert not re.search(r"^(--index-url|--extra-index-url|--find-links)", text, re.MULTILINE)


def test_bootstrap_needs_the_standard_library_alone():
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import runpy; runpy.run_path('bootstrap.py')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
