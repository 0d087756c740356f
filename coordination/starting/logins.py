"""The demo's logins: random passwords, made once, kept in ``var/demo-logins.json``.

The file is readable by its owner alone. It names whom ``up`` gave a password; a person who signs
in otherwise, or was given a password by hand, is never touched.
"""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from coordination.accounts.models import User

ADMIN = "admin"
DEMO_USERNAMES = (ADMIN, "secretary", "liaison", "chair", "observer", "city-liaison")


def logins_path() -> Path:
    """Return where the logins are kept."""
    return Path(settings.VAR_DIR) / "demo-logins.json"


def kept_logins() -> dict[str, str]:
    """Return the kept passwords by username; none where there is no file."""
    try:
        logins: dict[str, str] = json.loads(logins_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return logins


def keep_logins(usernames: Iterable[str]) -> dict[str, str]:
    """Make a password for each name that has none yet, and return all that are kept."""
    logins = kept_logins()
    missing = [name for name in usernames if name not in logins]
    if not missing:
        return logins
    logins.update({name: secrets.token_urlsafe(12) for name in missing})
    temporary = logins_path().with_suffix(".part")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=2)
        file.write("\n")
    os.replace(temporary, logins_path())
    return logins


def apply_logins(logins: dict[str, str]) -> None:
    """Give the kept passwords to those who have none; make the administrator if he is missing."""
    if ADMIN in logins and not User.objects.filter(username=ADMIN).exists():
        User.objects.create_superuser(ADMIN, password=logins[ADMIN])
    for user in User.objects.filter(username__in=logins):
        if not user.has_usable_password():
            user.set_password(logins[user.username])
            user.save(update_fields=["password"])
