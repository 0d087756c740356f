"""The whole product in one terminal: ``python3 manage.py up [--bind HOST:PORT] [--no-demo]``."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor

from coordination.starting.binding import Binding, CannotBind, parse_binding, require_free
from coordination.starting.copies import has_rows
from coordination.starting.logins import (
    ADMIN,
    DEMO_USERNAMES,
    apply_logins,
    keep_logins,
    kept_logins,
    logins_path,
)


class Command(BaseCommand):
    """Migrate, load the demo into an empty SQLite database, serve and deliver."""

    help = "Starts everything in this terminal; Ctrl-C ends it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address to listen on, and whether the demo is wanted."""
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
        parser.add_argument("--no-demo", action="store_true", help="start with an empty database")

    def handle(self, *, bind: str, no_demo: bool, **_options: Any) -> None:
        """Prepare the database, then serve until Ctrl-C."""
        if settings.PRODUCTION:
            raise CommandError("`up` is for one's own machine; in production use a WSGI server.")
        try:
            binding = parse_binding(bind)
            require_free(binding)
        except CannotBind as error:
            raise CommandError(str(error)) from error
        adopt_address(binding)
        self.migrate()
        logins = self.prepare(demo=not no_demo)
        call_command("rebuild_calendars", only_stale=True, verbosity=0)  # the address may differ
        connections.close_all()
        _close_pools()
        from coordination.starting.embedded import serve

        serve(binding, announcement=announcement(binding, logins))
        self.say("Stopped.")

    def say(self, text: str) -> None:
        """Print a line at once, also into a pipe."""
        self.stdout.write(text)
        self.stdout.flush()

    def migrate(self) -> None:
        """Bring the database's tables up to date; nothing is paid where they are."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Preparing the database ...")
            call_command("migrate", verbosity=0, interactive=False)

    def prepare(self, *, demo: bool) -> dict[str, str]:
        """Load the demo where it belongs and return the logins that are kept."""
        unfinished = Path(settings.VAR_DIR) / "demo-unfinished"
        empty = not has_rows()
        if demo and connection.vendor == "sqlite" and (empty or unfinished.exists()):
            unfinished.touch()
            keep_logins(DEMO_USERNAMES)
            self.say("Loading the demo world ...")
            call_command("demo")
            apply_logins(kept_logins())
            unfinished.unlink()
        elif empty:
            keep_logins([ADMIN])
        apply_logins(kept_logins())
        return kept_logins()


def announcement(binding: Binding, logins: dict[str, str]) -> str:
    """Return what is printed when the first request would be answered."""
    lines = ["", f"Coordination is at {binding.url}/"]
    if logins:
        lines.append(f"Logins (kept in {logins_path()}):")
        lines += [f"  {username:<14} {password}" for username, password in logins.items()]
    return "\n".join([*lines, "Ctrl-C ends it."])


def adopt_address(binding: Binding) -> None:
    """Let links name the address that is served, unless one was configured."""
    if not settings.ALLOWED_HOSTS_CONFIGURED:
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, binding.host]
        if not binding.is_loopback:
            settings.ALLOWED_HOSTS = ["*"]
        os.environ["COORDINATION_ALLOWED_HOSTS"] = ",".join(settings.ALLOWED_HOSTS)
    if not settings.BASE_URL_CONFIGURED:
        settings.COORDINATION_BASE_URL = binding.url
        settings.CSRF_TRUSTED_ORIGINS = [binding.url]
        os.environ["COORDINATION_BASE_URL"] = binding.url


def _close_pools() -> None:
    """Close what a forked worker must not share with its parent."""
    close = getattr(connections[DEFAULT_DB_ALIAS], "close_pool", None)
    if close is not None:
        close()
