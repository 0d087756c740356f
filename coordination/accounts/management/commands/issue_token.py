"""Make an API token or an app password, and print the secret alone on standard output."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from coordination.accounts.models import TokenKind, User
from coordination.accounts.scoping import FULL_SCOPE, find_limit
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import Refusal

REFUSED = 2  # exit code
MOST_DAYS = 36_500


class Command(BaseCommand):
    """Issue a token from the machine itself, which needs no other right than being there."""

    help = "Makes an API token (or an app password) and prints the secret, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username", help="the owner's user name or e-mail address")
        parser.add_argument(
            "--app-password", action="store_true", help="for CalDAV and feeds, in place of the API"
        )
        parser.add_argument(
            "--scope",
            action="append",
            help="resource:read, resource:write, *:read or *:write; may be repeated or separated "
            "by commas; without it everything the owner may do",
        )
        parser.add_argument("--alliance", action="append", default=[], help="limit to this slug")
        parser.add_argument("--expires", type=int, metavar="DAYS", help="days until it expires")
        parser.add_argument("--name", default="", help="what the owner will recognise it by")

    def handle(self, **options: Any) -> None:
        """Issue the token.

        Raises:
            CommandError: something was refused; exit code 2.
        """
        kind = TokenKind.APP_PASSWORD if options["app_password"] else TokenKind.BEARER
        at = timezone.now()
        days = options["expires"]
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(
                f"--expires is a number of days from 1 to {MOST_DAYS}.", returncode=REFUSED
            )
        try:
            issued = issue_token(
                _find_owner(options["username"]),
                name=options["name"] or f"issue_token {at:%Y-%m-%d}",
                kind=kind,
                scopes=_split(options["scope"]) or [FULL_SCOPE],
                limits=[find_limit("alliance", slug) for slug in _split(options["alliance"])],
                expires_at=None if days is None else at + timedelta(days=days),
                viewer=SYSTEM,
                at=at,
            )
        except Refusal as refusal:
            raise CommandError(str(refusal), returncode=REFUSED) from refusal
        sys.stdout.write(issued.secret + "\n")


def _find_owner(name: str) -> User:
    owner = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).first()
    if owner is None or not name:
        raise CommandError(f"There is no user “{name}”.", returncode=REFUSED)
    return owner


def _split(values: list[str] | None) -> list[str]:
    """Answer the words of a repeated option, each of which may hold several after commas."""
    return [word.strip() for value in values or [] for word in value.split(",") if word.strip()]
