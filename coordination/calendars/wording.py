"""Links in words, for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alliances.models import Alliance, Organization, Plan, WorkArea
from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.calendars.models import FeedLink
from coordination.calendars.programs import BROWSER
from coordination.calendars.selecting import MINE
from coordination.pages.answers import uid_or_none
from events.models import EventState

DAY, HOUR = 1440, 60  # minutes
NAMED: Final[dict[str, Any]] = {"plan": Plan, "work_area": WorkArea, "organization": Organization}


def alarm_in_words(minutes: int) -> str:
    """Return "1 hour before" for 60."""
    if not minutes:
        return _("at the beginning")
    if minutes % DAY == 0:
        days = minutes // DAY
        return ngettext("%(n)d day before", "%(n)d days before", days) % {"n": days}
    if minutes % HOUR == 0:
        hours = minutes // HOUR
        return ngettext("%(n)d hour before", "%(n)d hours before", hours) % {"n": hours}
    return ngettext("%(n)d minute before", "%(n)d minutes before", minutes) % {"n": minutes}


def program_in_words(link: FeedLink) -> str:
    """Return the program that fetched a link last; "" when it said nothing of itself."""
    return _("a browser") if link.last_program == BROWSER else link.last_program


def filters_in_words(links: Iterable[FeedLink], viewer: Viewer) -> list[str]:
    """Return what each link shows, in the viewer's language; one query for each kind of name."""
    links = list(links)
    names = _names({name: _values(links, name) for name in ("alliance", *NAMED)}, viewer)
    return [_in_words(link.parameters, names) for link in links]


def _in_words(parameters: Mapping[str, str], names: Mapping[str, str]) -> str:
    mine = _("what my organizations host or are named in")
    words = [mine if MINE in parameters else _("all events that I may see")]
    states = dict(EventState.choices)
    for name, value in parameters.items():
        if name in ("alliance", *NAMED):
            words.append(names.get(value, value))
        elif name == "state":
            words.append(str(states.get(value, value)))
        elif name == "from":
            words.append(_("from %(day)s") % {"day": value})
        elif name == "to":
            words.append(_("before %(day)s") % {"day": value})
        elif name != MINE:
            words.append(value)
    return " · ".join(words)


def _values(links: Iterable[FeedLink], name: str) -> set[str]:
    return {link.parameters[name] for link in links if name in link.parameters}


def _names(wanted: Mapping[str, set[str]], viewer: Viewer) -> dict[str, str]:
    """Return the names of what filters name, as far as it is open to the viewer."""
    language = viewer.language
    alliances = Alliance.objects.visible_to(viewer).filter(slug__in=wanted["alliance"])
    names = {row.slug: localized(row, "name", language) for row in alliances}
    for name, model in NAMED.items():
        uids = [uid for uid in map(uid_or_none, wanted[name]) if uid is not None]
        for row in model.objects.visible_to(viewer).filter(uid__in=uids) if uids else ():
            names[str(row.uid)] = localized(row, "title" if name == "plan" else "name", language)
    return names
