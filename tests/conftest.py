"""What every test stands on: closed sockets, a fixed clock, a cache and files of its own."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache, caches
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as property_settings

from coordination.changes.models import Counter

if TYPE_CHECKING:
    from tests.factories import Cast

# A busy machine makes a test slow, not wrong.
property_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
property_settings.load_profile("untimed")

# 23:30 on the last day of March in Beijing, a Friday; 15:30 in UTC.
NOW = datetime(2028, 3, 31, 15, 30, tzinfo=UTC)


def pytest_configure(config: pytest.Config) -> None:
    """Keep parallel workers out of each other's cache; hash the tests' passwords cheaply."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if settings.REDIS_URL and worker:
        base = settings.REDIS_URL.rsplit("/", 1)[0]
        settings.REDIS_URL = f"{base}/{int(worker.removeprefix('gw')) + 1}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Keep SQLite's test database in a file, as in real use: threads then wait their turn."""
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let nobody be left in PostgreSQL's test database when it is dropped."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def _django_db_helper(_django_db_helper: None, django_db_blocker: Any) -> None:
    """Begin with the counter's row also where the test before emptied the tables."""
    with django_db_blocker.unblock():
        if not connection.in_atomic_block:
            Counter.objects.get_or_create(pk=1)


@pytest.fixture(autouse=True)
def _own_cache_and_files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    folder: Path = tmp_path_factory.getbasetemp() / "files"
    settings.MEDIA_ROOT = folder
    cache.clear()
    caches["answers"].clear()
    yield
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def now() -> datetime:
    """The instant of the tests; pass it as ``at``."""
    return NOW


@pytest.fixture
def fixed_clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at ``NOW`` for what reads it itself: pages, API, commands."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def cast(db: None) -> "Cast":
    """Two alliances, their members, and one viewer of each kind."""
    from tests.factories import make_cast

    return make_cast()
