"""The names behind actor keys of the change log, looked up when history is read."""

from __future__ import annotations

from collections.abc import Sequence

from alliances.models import Person
from coordination.accounts.models import User
from coordination.bilingual import localized


def names_of_actors(keys: Sequence[str], language: str) -> dict[str, str]:
    """Return the name of each key: of "user:<uid>" the person's, else the account's.

    "person:<uid>" is somebody who answered by a link of their own, without signing in.
    """
    uids = {key.partition(":")[2]: key for key in keys if key.startswith("user:")}
    names = {
        uids[str(uid)]: username
        for uid, username in User.objects.filter(uid__in=uids).values_list("uid", "username")
    }
    people = Person.objects.filter(user__uid__in=uids).select_related("details", "user")
    for person in people:
        if name := _name_of(person, language):
            names[uids[str(person.user.uid)]] = name
    linked = {key.partition(":")[2]: key for key in keys if key.startswith("person:")}
    for person in Person.objects.filter(uid__in=linked).select_related("details") if linked else ():
        if name := _name_of(person, language):
            names[linked[str(person.uid)]] = name
    return names


def _name_of(person: Person, language: str) -> str:
    details = getattr(person, "details", None)
    return localized(details, "name", language) if details is not None else ""
