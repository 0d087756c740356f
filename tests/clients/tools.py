"""Programs that no one here wrote, each in an environment of its own, exactly as locked.

Their dependencies would quarrel with the project's, so none of them is installed beside it.
`environment` makes one below `.venv` from the lock of its name, once; `.in` files say what is
wanted, and ``uv pip compile NAME.in --generate-hashes --no-emit-index-url --universal
--python-version 3.11 -o NAME.lock`` locks it anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
INSTALL_SECONDS = 600
RUN_SECONDS = 120
ICAL_JS = "ical.js@2.2.1"


def environment(name: str) -> Path:
    """Return the folder of programs of a locked environment; skip where none can be made."""
    folder = ROOT / ".venv" / "clients" / name
    lock = HERE / f"{name}.lock"
    stamp = folder / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{name}.lock", "w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            _install(folder, lock)
            stamp.write_text(wanted)
    return folder / "bin"


def node_package() -> Path:
    """Return the folder in which ical.js can be imported; skip the test where none can be made."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("skipped: ical.js; to run it: apt-get install nodejs npm")
    folder = ROOT / ".venv" / "clients" / "node"
    stamp = folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == ICAL_JS):
            command = [npm, "install", "--no-save", "--no-package-lock", "--silent", ICAL_JS]
            _try(command, folder, "ical.js could not be installed")
            stamp.write_text(ICAL_JS)
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


def _install(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        fill = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    else:
        make = [sys.executable, "-m", "venv", str(folder)]
        fill = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        fill += ["--disable-pip-version-check", "--no-input"]
    why = f"skipped: the clients of {lock.name} could not be installed"
    _try(make, ROOT, why)
    _try([*fill, "--require-hashes", "--no-deps", "-r", str(lock)], ROOT, why)


def _try(command: list[str], folder: Path, why: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.skip(f"{why}: {done.stderr.strip()[-300:]}")
