"""The whole test suite by one command: ``python3 manage.py test [ARGS]``.

Without ARGS: lint, format, types, import contracts, migrations, then pytest on SQLite and, where
the programs are found, again on a temporary PostgreSQL and Redis. With ARGS: pytest with them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

WORKERS = ("-n", "2")
CHECKS = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
    ("import contracts", ("lint-imports",)),
    ("migrations", ("python", "manage.py", "makemigrations", "--check", "--dry-run")),
)
SERVERS = "the suite on PostgreSQL and Redis"
PROGRAMS = {  # the Debian package: any one of its programs, and what is skipped without it
    "postgresql": (("initdb",), SERVERS),
    "redis-server": (("redis-server", "valkey-server"), SERVERS),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "the tests in a browser"),
    "npm": (("npm",), "the test of feeds by ical.js"),
}


class Command(BaseCommand):
    """Run the checks and the tests, and leave with their exit code."""

    help = "Runs lint, types, contracts and the test suite; with arguments, pytest with them."
    requires_system_checks = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Take every argument for pytest's, as Django would take some for its own."""
        arguments = argv[2:]
        sys.exit(run_pytest(*arguments) if arguments else run_everything())

    def handle(self, **_options: Any) -> None:
        """Run everything, for those who call the command from a program."""
        sys.exit(run_everything())


def run_everything() -> int:
    """Run all checks and, where they are kept, the suites; return 0 where everything is well."""
    failed = []
    for name, command in CHECKS:
        say(f"{name} ...")
        if run(*command):
            failed.append(name)
    if failed:
        say(f"not kept: {', '.join(failed)}")
        return 1
    skipped = missing_programs()
    for line in skipped.values():
        say(line)
    say("tests on SQLite ...")
    code = run_pytest(*WORKERS, servers=False)
    if code or {"postgresql", "redis-server"} & skipped.keys():
        return code
    say("tests on PostgreSQL and Redis ...")
    return run_pytest(*WORKERS, servers=True)


def missing_programs() -> dict[str, str]:
    """Return for each missing package one line: what is skipped and how to install it."""
    from tests.servers import found_program

    lines = {}
    for package, (names, skipped) in PROGRAMS.items():
        if found_program(*names) is None:
            lines[package] = f"skipped: {skipped}; to run it: apt-get install {package}"
    return lines


def run_pytest(*arguments: str, servers: bool = False) -> int:
    """Run pytest in a process of its own and return its exit code."""
    command = ["python", "-m", "pytest", *arguments]
    if servers:
        return run("python", "-m", "tests.servers", sys.executable, *command[1:])
    return run(*command)


def run(program: str, *arguments: str) -> int:
    """Run a program of this environment in the project's folder and return its exit code."""
    beside = Path(sys.executable).parent / program
    path = sys.executable if program == "python" else str(beside)
    if not Path(path).exists():
        path = shutil.which(program) or path
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.call([path, *arguments], cwd=settings.BASE_DIR, env=environment)


def say(text: str) -> None:
    """Print a line before what the programs print."""
    print(f"-- {text}", flush=True)
