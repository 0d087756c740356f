"""Copies of a whole installation: made while it runs, restored into an empty one.

A copy is a folder with the database at one instant, every uploaded file, the key that signs
sessions where it was made here and not configured, and a manifest, which is written last: a folder
without one is no copy.

Restoring gives the same answers and the same sync tokens. Two things depend on what happened to
the installation after the copy was made, and the copy cannot know it:

- **Messages** that fell due since then may have gone out already. They are held back until staff
  release them (`HoldPeriod`).
- **Tokens** handed out since then speak of changes that the copy does not hold. Whoever knows, or
  must fear, that something was written after the copy restores ``--after-loss``: the log gets a
  new epoch, and every copy that others keep starts anew. Without it the epoch stays: a move.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from coordination.changes.models import Counter
from coordination.deliveries.models import HoldPeriod, Message, MessageState

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_COPY = "database.sqlite3"
POSTGRESQL_COPY = "database.dump"
KEPT_BESIDE = ("secret-key", "demo-logins.json")
STAGED = "staged"


class CopyRefused(RuntimeError):
    """The copy cannot be made or restored; the message says why in one sentence."""


# -- Making --------------------------------------------------------------------------------------


def make_copy(folder: Path) -> dict[str, Any]:
    """Copy the running installation into ``folder`` and return the manifest.

    Raises:
        CopyRefused: the folder holds something already, or a program is missing.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CopyRefused(f"{folder} is not an empty folder.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made_at = timezone.now()
    if connection.vendor == "sqlite":
        name, counter = SQLITE_COPY, _copy_sqlite(folder / SQLITE_COPY)
    else:
        name, counter = POSTGRESQL_COPY, _copy_postgresql(folder / POSTGRESQL_COPY)
    # Uploads are stored under their hash before the row that names them: whatever the copied
    # database knows is on the disk by now.
    files = _copy_files(Path(settings.MEDIA_ROOT), folder / "files")
    for kept in KEPT_BESIDE:
        if (settings.VAR_DIR / kept).exists():
            shutil.copy2(settings.VAR_DIR / kept, folder / kept)
    manifest = {
        "format": FORMAT,
        "made_at": made_at.isoformat(),
        "database": name,
        "sha256": _sha256(folder / name),
        "files": files,
        **counter,
    }
    _write_whole(folder / MANIFEST, json.dumps(manifest, indent=2).encode())
    return manifest


def _copy_sqlite(path: Path) -> dict[str, Any]:
    """Copy by SQLite's online backup, in one step: writers go on, none of theirs is cut in two."""
    connection.ensure_connection()
    path.touch(mode=0o600)
    target = sqlite3.connect(path)
    try:
        connection.connection.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        value, epoch = target.execute("SELECT value, epoch FROM changes_counter").fetchone()
        applied = target.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    finally:
        target.close()
    return _facts(value, epoch, applied)


def _copy_postgresql(path: Path) -> dict[str, Any]:
    """Copy by ``pg_dump`` from the very snapshot that the counter is read from."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        cursor.execute("SELECT value, epoch FROM changes_counter")
        value, epoch = cursor.fetchone()
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        applied = cursor.fetchall()
        path.touch(mode=0o600)
        _run_postgresql(
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges",
            f"--snapshot={snapshot}", f"--file={path}",
        )  # fmt: skip
    return _facts(value, epoch, applied)


def _facts(value: int, epoch: Any, applied: list[tuple[str, str]]) -> dict[str, Any]:
    migrations = [f"{app}.{name}" for app, name in applied]
    return {"counter": value, "epoch": str(uuid.UUID(str(epoch))), "migrations": migrations}


def _copy_files(source: Path, target: Path) -> int:
    """Copy what is not there yet and return how many files the source holds."""
    count = 0
    for path in sorted(source.rglob("*")) if source.exists() else ():
        place = target / path.relative_to(source)
        if not path.is_file():
            continue
        count += 1
        if not place.exists():
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            partial = place.with_name(f".{place.name}.part")
            shutil.copy2(path, partial)
            os.replace(partial, place)
    return count


# -- Restoring -----------------------------------------------------------------------------------


def restore_copy(folder: Path, *, after_loss: bool) -> dict[str, Any]:
    """Restore a copy into this empty installation and return its manifest.

    Args:
        folder: what `make_copy` made.
        after_loss: something was, or may have been, written after the copy was made.

    Raises:
        CopyRefused: it is no whole copy, it is of another kind of database or of a newer version,
            or this installation is not empty.
    """
    manifest = read_manifest(folder)
    if has_rows():
        raise CopyRefused("This installation is not empty; a copy is restored into an empty one.")
    _copy_files(folder / "files", Path(settings.MEDIA_ROOT))
    if connection.vendor == "sqlite":
        _restore_sqlite(folder / SQLITE_COPY, manifest=manifest, after_loss=after_loss)
    else:
        _restore_postgresql(folder / POSTGRESQL_COPY, manifest=manifest, after_loss=after_loss)
    for kept in KEPT_BESIDE:
        if (folder / kept).exists():
            _write_whole(settings.VAR_DIR / kept, (folder / kept).read_bytes())
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a copy that is whole and fits this installation.

    Raises:
        CopyRefused: it is not whole or does not fit.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CopyRefused(f"{folder} is no copy of an installation: {error}.") from error
    if manifest.get("format") != FORMAT:
        raise CopyRefused(f"{folder} was made by another version of this program.")
    expected = SQLITE_COPY if connection.vendor == "sqlite" else POSTGRESQL_COPY
    if manifest["database"] != expected:
        raise CopyRefused(f"{folder} was made from another kind of database.")
    if not (folder / expected).is_file() or _sha256(folder / expected) != manifest["sha256"]:
        raise CopyRefused(f"{folder} is damaged: {expected} is not what was copied.")
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    if unknown := [name for name in manifest["migrations"] if name not in known]:
        raise CopyRefused(f"{folder} was made by a newer version: {unknown[0]} is not known here.")
    return manifest


def has_rows() -> bool:
    """Tell whether anything was ever put into this installation: a person or an alliance."""
    tables = set(connection.introspection.table_names())
    models = (apps.get_model("accounts.User"), apps.get_model("alliances.Alliance"))
    return any(
        model._meta.db_table in tables and model._default_manager.exists() for model in models
    )


def _restore_sqlite(path: Path, *, manifest: dict[str, Any], after_loss: bool) -> None:
    """Finish the copy beside the database, then put it in place in one transaction of SQLite's."""
    with _staged_sqlite(path) as staged:
        call_command("migrate", database=STAGED, verbosity=0, interactive=False)
        settle(manifest, after_loss=after_loss, using=STAGED)
        connections[STAGED].close()
        source = sqlite3.connect(staged)
        try:
            connection.ensure_connection()
            source.backup(connection.connection)
        finally:
            source.close()
            connection.close()


@contextmanager
def _staged_sqlite(path: Path) -> Iterator[Path]:
    staged = settings.VAR_DIR / f"restoring-{os.getpid()}.sqlite3"
    shutil.copyfile(path, staged)
    connections.databases[STAGED] = {**connections.databases[DEFAULT_DB_ALIAS], "NAME": staged}
    try:
        yield staged
    finally:
        connections[STAGED].close()
        del connections[STAGED]
        del connections.databases[STAGED]
        for leftover in settings.VAR_DIR.glob(f"{staged.name}*"):
            leftover.unlink()


def _restore_postgresql(path: Path, *, manifest: dict[str, Any], after_loss: bool) -> None:
    """Put the copy in place of the empty tables; no other process may run meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    _run_postgresql(
        "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
        f"--dbname={connection.settings_dict['NAME']}", str(path),
    )  # fmt: skip
    connection.close()
    call_command("migrate", verbosity=0, interactive=False)
    settle(manifest, after_loss=after_loss, using=DEFAULT_DB_ALIAS)


def settle(manifest: dict[str, Any], *, after_loss: bool, using: str) -> None:
    """Hold back what fell due since the copy was made and, after a loss, begin a new epoch."""
    made_at = datetime.fromisoformat(manifest["made_at"])
    until_at = max(timezone.now(), made_at + timedelta(seconds=1))
    with transaction.atomic(using=using):
        HoldPeriod.objects.using(using).create(
            from_at=made_at, until_at=until_at, reason="restored"
        )
        Message.objects.using(using).pending().filter(next_attempt_at__lte=until_at).update(
            state=MessageState.HELD, reason="restored", lease="", leased_until=None
        )
        if after_loss:
            Counter.objects.using(using).update(epoch=uuid.uuid4())


# -- Both ----------------------------------------------------------------------------------------


def _run_postgresql(program: str, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise CopyRefused(f"{program} is not installed: apt-get install postgresql-client")
    known = connection.settings_dict
    variables = {
        "PGHOST": known["HOST"],
        "PGPORT": known["PORT"],
        "PGUSER": known["USER"],
        "PGPASSWORD": known["PASSWORD"],
        "PGDATABASE": known["NAME"],
        "PGSSLMODE": known["OPTIONS"].get("sslmode", ""),
    }
    environment = os.environ | {name: str(value) for name, value in variables.items() if value}
    done = subprocess.run(
        [path, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CopyRefused(f"{program} failed: {done.stderr.strip()[-500:]}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file for its owner alone; it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
