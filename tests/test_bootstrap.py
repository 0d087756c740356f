"""The bare machine's first step, in a project of its own with an empty lock."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import sys
import bootstrap
bootstrap.ensure(development=sys.argv[1:] == ["test"])
print(sys.prefix)
"""
NOTHING_FOUND = """
import bootstrap
bootstrap.shutil.which = lambda name: None
bootstrap.importlib.util.find_spec = lambda name: None
bootstrap.ensure(development=False)
"""
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "manage.py").write_text(PROGRAM)
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    (tmp_path / "requirements-dev.lock").write_text("# nothing\n")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.Popen[str]:
    plain = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    path = os.pathsep.join(
        folder for folder in plain["PATH"].split(os.pathsep) if not Path(folder, "uv").exists()
    )
    return subprocess.Popen(
        [BASE_PYTHON, *arguments],
        cwd=project,
        env={**plain, "PATH": path, "PIP_NO_INDEX": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ensure_makes_the_environment_once_also_for_two_at_a_time(project: Path):
    starts = [run(project, "manage.py"), run(project, "manage.py")]
    answers = [start.communicate(timeout=120) for start in starts]

    assert [out.strip() for out, _ in answers] == [str(project / ".venv")] * 2
    said = "".join(errors for _, errors in answers)
    assert said.count("Making ") == 1
    assert said.count("Installing the packages of requirements.lock into .venv (once)") == 1

    # A later start says nothing; a changed lock is installed; the tests' lock counts for both.
    assert run(project, "manage.py").communicate(timeout=60)[1] == ""
    (project / "requirements.lock").write_text("# nothing else\n")
    assert "requirements.lock" in run(project, "manage.py").communicate(timeout=60)[1]
    assert "requirements-dev.lock" in run(project, "manage.py", "test").communicate(timeout=60)[1]
    assert run(project, "manage.py", "test").communicate(timeout=60)[1] == ""
    (project / "requirements.lock").write_text("# nothing at all\n")
    assert run(project, "manage.py").communicate(timeout=60)[1] == ""


def test_ensure_without_anything_to_install_with_says_what_to_install(project: Path):
    start = run(project, "-c", NOTHING_FOUND)

    _, errors = start.communicate(timeout=60)

    assert start.returncode == 1
    assert errors.splitlines()[1:] == [
        "Coordination needs uv, or Python's venv and pip; on Debian and Ubuntu: "
        "apt-get install python3-venv"
    ]
    assert not (project / ".venv").exists()


def test_ensure_of_a_lock_that_cannot_be_installed_leaves_no_stamp(project: Path):
    (project / "requirements.lock").write_text(
        "no-such-package-anywhere==1.0 --hash=sha256:" + "0" * 64 + "\n"
    )
    start = run(project, "-c", PROGRAM.replace('sys.argv[1:] == ["test"]', "False"))

    _, errors = start.communicate(timeout=180)

    assert start.returncode == 1
    assert errors.splitlines()[-1] == (
        "The dependencies could not be installed; what went wrong is written above."
    )
    assert not list((project / ".venv").glob("*.installed"))


def test_older_pythons_are_told_what_is_needed_and_can_read_as_far(monkeypatch: pytest.MonkeyPatch):
    import bootstrap

    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        bootstrap.ensure(development=False)

    for name in ("manage.py", "bootstrap.py"):
        read = ast.parse((ROOT / name).read_text(), feature_version=(3, 6))
        functions = [one for one in ast.walk(read) if isinstance(one, ast.FunctionDef)]
        written = [one.returns for one in functions]
        written += [each.annotation for one in functions for each in ast.walk(one.args)
                    if isinstance(each, ast.arg)]  # fmt: skip
        assert functions
        assert not [one for one in written if isinstance(one, ast.Subscript | ast.BinOp)]
