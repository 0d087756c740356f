"""Programs that no one here wrote, run as their users run them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.environments import PLACE, CannotInstall, attempt, made_from, once

HERE = Path(__file__).parent
RUN_SECONDS = 120
ICAL_JS = "ical.js@2.2.1"


def environment(name: str) -> Path:
    """Return the folder of programs of a locked environment; skip where none can be made."""
    try:
        return made_from(HERE / f"{name}.lock")
    except CannotInstall as reason:
        pytest.skip(f"skipped: the clients of {name}.lock could not be installed: {reason}")


def node_package() -> Path:
    """Return the folder in which ical.js can be imported; skip the test where none can be made."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("skipped: ical.js; to run it: apt-get install npm")
    folder = PLACE / "node"
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-save", "--no-package-lock", "--silent", ICAL_JS]
    try:
        once(folder, ICAL_JS, lambda: attempt(command, folder))
    except CannotInstall as reason:
        pytest.skip(f"skipped: ical.js could not be installed: {reason}")
    return folder


def run(*command: object, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a client's command with a home of its own; what it said is in the result."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **variables},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
