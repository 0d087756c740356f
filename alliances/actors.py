"""The names behind actor keys of the change log, looked up when history is read."""

from __future__ import annotations

from collections.abc import Sequence

from alliances.models import Person
from coordination.accounts.models import User
from coordination.bilingual import localized


def names_of_actors(keys: Sequence[str], language: str) -> dict[str, str]:
    """Return the name of each "user:<uid>" key: the person's, else the account's."""
    uids = {key.partition(":")[2]: key for key in keys if key.startswith("user:")}
    names = {
        uids[str(uid)]: username
        for uid, username in User.objects.filter(uid__in=uids).values_list("uid", "username")
    }
    people = Person.objects.filter(user__uid__in=uids).select_related("details", "user")
    for person in people:
        details = getattr(person, "details", None)
        name = localized(details, "name", language) if details is not None else ""
        if name:
            names[uids[str(person.user.uid)]] = name
    return names
