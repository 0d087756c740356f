"""Know a time zone by the names that calendar programs give it. Pure.

Programs write a TZID of their own making (RFC 5545 section 3.8.3.1 leaves it to them): the name in
the IANA database, the same behind a prefix of the program's or its library's, the name that
Windows has for it, or anything at all, with the real name in an extension of the VTIMEZONE.

>>> zone_for("/freeassociation.sourceforge.net/Asia/Shanghai")
'Asia/Shanghai'
>>> zone_for("China Standard Time")
'Asia/Shanghai'
>>> zone_for("Customized Time Zone 1", "Europe/Madrid")
'Europe/Madrid'
>>> zone_for("Nowhere/Atlantis") is None
True
"""

from functools import lru_cache
from typing import Final

from events.zones import zone_names

_PARTS: Final = (3, 2, 1)
"""How many parts a name of the IANA database has, the longest first."""

_ALSO: Final = {
    "z": "UTC",
    "utc": "UTC",
    "gmt": "Etc/GMT",
    "asia/beijing": "Asia/Shanghai",
    "tzone://microsoft/utc": "UTC",  # Exchange; beside it "tzone://Microsoft/Custom" is any other
}


def zone_for(*names: str) -> str | None:
    """Return the IANA name of the first of these names that is known; None when none is."""
    return next(filter(None, map(_known, names)), None)


@lru_cache(maxsize=512)
def _known(name: str) -> str | None:
    """Return the IANA name for one name, or None."""
    plain = name.strip().strip('"').strip()
    if plain in zone_names():
        return plain
    folded = plain.casefold()
    if folded in _ALSO:
        return _ALSO[folded]
    parts = plain.split("/")
    for count in _PARTS:
        tail = "/".join(parts[-count:]).casefold()
        if len(parts) > count or count == len(parts):
            found = _by_folded_name().get(tail)
            # A prefix is a program's own: "/mozilla.org/20050126_1/Asia/Shanghai".
            if found is not None and (count == len(parts) or plain.startswith("/")):
                return found
    return _windows_zones().get(folded)


@lru_cache(maxsize=1)
def _by_folded_name() -> dict[str, str]:
    """Return the names of the IANA database by their form without capitals."""
    return {name.casefold(): name for name in zone_names()}


@lru_cache(maxsize=1)
def _windows_zones() -> dict[str, str]:
    """Return the IANA names by those of Windows, from the table of the Unicode consortium."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # slow, and rarely needed

    known = zone_names()
    return {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items() if zone in known}
