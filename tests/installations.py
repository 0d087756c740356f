"""Whole installations of their own, for tests that start commands as a person does."""

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[1]
OURS = ("COORDINATION_", "DATABASE_", "REDIS_", "EMAIL_", "DJANGO_", "COV_", "PYTEST_")


@dataclass
class Installation:
    """A folder and a database of its own, and the environment that names them."""

    var: Path
    knobs: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        return {**plain, "COORDINATION_VAR": str(self.var), **self.knobs}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and leave it running, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ask(self, program: str) -> object:
        """Return what the last line of a small program says as JSON, asked inside."""
        done = self.run("shell", "--verbosity", "0", "--command", program)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """Give an empty installation on the kind of database that this run tests."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield Installation(folder)
        return
    name = f"coordination_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            knobs = {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
            yield Installation(folder, knobs)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
