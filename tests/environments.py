"""Environments of their own for programs that must not be installed beside the project.

Test clients and the servers that benchmarks compare with have dependencies that would quarrel
with ours. `made_from` makes an environment below `.venv` from a hashed lock, once; a `.in` file
beside the lock says what is wanted, and this locks it anew::

    uv pip compile NAME.in --generate-hashes --no-emit-index-url --universal \
        --python-version 3.11 -o NAME.lock
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".venv" / "environments"
INSTALL_SECONDS = 600


class CannotInstall(Exception):
    """The packages could not be had; the message ends with what the installer said."""


def made_from(lock: Path) -> Path:
    """Return the folder of programs of a lock's environment.

    Raises:
        CannotInstall: there is no way to the packages.
    """
    folder = PLACE / lock.stem
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    once(folder, wanted, lambda: _install(folder, lock))
    return folder / "bin"


def once(folder: Path, wanted: str, install: Callable[[], None]) -> None:
    """Install into a folder unless it holds what is wanted; others wait meanwhile."""
    stamp = folder / "installed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{folder.name}.alone", "w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_text() == wanted):
            install()
            stamp.write_text(wanted)


def attempt(command: list[str], folder: Path) -> None:
    """Run a command.

    Raises:
        CannotInstall: it fails.
    """
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise CannotInstall(f"{command[0]}: {done.stderr.strip()[-300:]}")


def _install(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    python, uv = str(folder / "bin" / "python"), shutil.which("uv")
    if uv:
        attempt([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], ROOT)
        fill = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        attempt([sys.executable, "-m", "venv", str(folder)], ROOT)
        fill = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    attempt([*fill, "--require-hashes", "--no-deps", "-r", str(lock)], ROOT)
