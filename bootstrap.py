"""Install the locked dependencies on a bare machine. Standard library only.

``ensure`` makes ``.venv`` beside this file, installs ``requirements.lock`` (for the tests
``requirements-dev.lock``) by its hashes, with uv where it is on the PATH and with pip where it is
not, and goes on inside. A stamp of the lock's hash makes it do so again when the lock changes. The
machine's own index configuration is used; none is named here. An older Python, from 3.6 on, can
read as far as what it is told: annotations with brackets are therefore quoted.

Run by itself (``python3 bootstrap.py``) it only installs, as an image does.
"""

import collections
import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
WINDOWS = os.name == "nt"
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else f"{VENV}/bin/python"
LOCKS = {False: "requirements.lock", True: "requirements-dev.lock"}
NOTHING_TO_INSTALL_WITH = (
    "Coordination needs uv, or Python's venv and pip; on Debian and Ubuntu: "
    "apt-get install python3-venv"
)


def ensure(*, development: bool) -> None:
    """Return inside an environment that holds the locked dependencies.

    Args:
        development: whether the tests' and linters' packages are wanted too.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one must say so
        sys.exit(f"Coordination needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    inside = os.path.realpath(sys.prefix) == os.path.realpath(VENV)
    if inside and _is_stamped(development):
        return
    with _alone():
        if not os.path.exists(PYTHON):
            _make_environment()
        if not _is_stamped(development):
            _install(development)
    if not inside:
        _go_on_inside()


@contextlib.contextmanager
def _alone() -> "Iterator[None]":
    """Let one process at a time install; the others wait, then find the work done."""
    if WINDOWS:
        yield
        return
    import fcntl

    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _hash_of(development: bool) -> str:
    with open(os.path.join(ROOT, LOCKS[development]), "rb") as lock:
        return hashlib.sha256(lock.read()).hexdigest()


def _stamp(development: bool) -> str:
    return os.path.join(VENV, LOCKS[development] + ".installed")


def _is_stamped(development: bool) -> bool:
    """Tell whether the lock, or the larger one that contains it, is installed as it stands."""
    for lock in {development, True}:
        with contextlib.suppress(OSError), open(_stamp(lock), encoding="ascii") as stamp:
            if stamp.read() == _hash_of(lock):
                return True
    return False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _make_environment() -> None:
    _say(f"Making {VENV} ...")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV]
    elif importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        command = [sys.executable, "-m", "venv", "--clear", VENV]
    elif importlib.util.find_spec("venv") and importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "venv", "--clear", "--without-pip", VENV]
    else:
        sys.exit(NOTHING_TO_INSTALL_WITH)
    if subprocess.call(command) != 0:
        sys.exit(NOTHING_TO_INSTALL_WITH)


def _installer() -> "list[str]":
    """Return the command that installs into the environment, up to its options."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", PYTHON]
    options = ["install", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    if subprocess.call([PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0:
        return [PYTHON, "-m", "pip", *options]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", PYTHON, *options]
    sys.exit(NOTHING_TO_INSTALL_WITH)


def _install(development: bool) -> None:
    lock = os.path.join(ROOT, LOCKS[development])
    with open(lock, encoding="utf-8") as lines:
        count = sum("==" in line and not line.startswith((" ", "#")) for line in lines)
    command = [*_installer(), "--require-hashes", "--no-deps", "-r", lock]
    _say(f"Installing the packages of {LOCKS[development]} into .venv (once) ...")
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    # pip's warnings are for whoever set up the index; they are shown when it fails.
    errors = None if os.path.basename(command[0]).startswith("uv") else subprocess.STDOUT
    last = collections.deque(maxlen=40)
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        done = 0
        for line in process.stdout:
            last.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                done += 1
                if done % 10 == 0:
                    _say(f"  {done} of at most {count} packages ...")
            elif line.startswith("Installing "):
                _say("  unpacking ...")
    if process.returncode != 0:
        _say("\n".join(last))
        sys.exit("The dependencies could not be installed; what went wrong is written above.")
    if not development:
        with contextlib.suppress(OSError):
            os.remove(_stamp(True))
    with open(_stamp(development), "w", encoding="ascii") as stamp:
        stamp.write(_hash_of(development))


def _go_on_inside() -> None:
    """Replace this process by the same command in the environment."""
    command = [PYTHON, *sys.argv]
    if WINDOWS:
        sys.exit(subprocess.call(command))
    os.execv(PYTHON, command)


if __name__ == "__main__":
    ensure(development="--development" in sys.argv[1:])
