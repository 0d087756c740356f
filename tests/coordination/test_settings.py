import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SHOWN = "CACHES DATABASES SECRET_KEY ALLOWED_HOSTS SESSION_COOKIE_SECURE CONTENT_SECURITY_POLICY"
PROGRAM = f"""
import json, coordination.settings as settings
print(json.dumps({{n: getattr(settings, n, None) for n in {SHOWN.split()!r}}}, default=str))
"""
ROOT = Path(__file__).resolve().parents[2]


def start(var: Path, program: str = PROGRAM, **knobs: str) -> subprocess.CompletedProcess[str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COORDINATION_", "DATABASE_", "REDIS_", "EMAIL_", "COV_"))
    }
    environment = {**plain, "COORDINATION_VAR": str(var), **knobs}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_without_any_knob_are_safe_and_keep_their_key(tmp_path: Path):
    first = json.loads(start(tmp_path).stdout)
    second = json.loads(start(tmp_path).stdout)

    assert first == second
    assert len(first["SECRET_KEY"]) >= 50
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert first["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "127.0.0.1", "[::1]"]
    assert first["DATABASES"]["default"]["NAME"] == str(tmp_path / "coordination.sqlite3")
    assert first["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "'unsafe-inline'" not in json.dumps(first["CONTENT_SECURITY_POLICY"])


def test_settings_of_servers_take_their_addresses(tmp_path: Path):
    found = json.loads(
        start(
            tmp_path,
            DATABASE_URL="postgresql://office@db.example/coordination?sslmode=require",
            COORDINATION_DATABASE_PASSWORD="geheim",
            REDIS_URL="redis://cache.example/3",
        ).stdout
    )

    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["PASSWORD"]) == ("db.example", "geheim")
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"] == {"min_size": 1, "max_size": 20, "timeout": 10}
    assert database["CONN_MAX_AGE"] == 0
    assert found["CACHES"]["default"]["LOCATION"] == "redis://cache.example/3"


def test_settings_of_production_take_hosts_and_cookies_from_the_base_address(tmp_path: Path):
    found = json.loads(
        start(
            tmp_path,
            COORDINATION_ENV="production",
            COORDINATION_SECRET_KEY="k" * 50,
            COORDINATION_BASE_URL="https://union.example.org/",
        ).stdout
    )

    assert found["ALLOWED_HOSTS"][0] == "union.example.org"
    assert found["SESSION_COOKIE_SECURE"] is True


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"COORDINATION_ENV": "production"}, "A production start needs COORDINATION_SECRET_KEY"),
        (
            {
                "COORDINATION_ENV": "production",
                "COORDINATION_SECRET_KEY": "k",
                "COORDINATION_DEBUG": "1",
            },
            "A production start with COORDINATION_DEBUG on is refused.",
        ),
        ({"COORDINATION_ENV": "live"}, "COORDINATION_ENV is local or production, not 'live'."),
        ({"COORDINATION_BASE_URL": "x.org"}, "COORDINATION_BASE_URL must be http://host"),
        ({"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL must begin with postgresql://"),
        ({"EMAIL_URL": "gopher://h"}, "EMAIL_URL must be"),
    ],
)
def test_start_that_is_refused_says_why_in_one_sentence(
    tmp_path: Path, knobs: dict[str, str], sentence: str
):
    program = (
        "import sys, runpy; sys.argv[1:] = ['check']; runpy.run_path('manage.py', {}, '__main__')"
    )

    done = start(tmp_path, program, **knobs)

    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_wsgi_start_is_a_production_start(tmp_path: Path):
    done = start(tmp_path, "import coordination.wsgi")

    assert done.returncode == 1
    assert done.stderr.startswith("A production start needs COORDINATION_SECRET_KEY")
