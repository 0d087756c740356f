"""Time zones by the names that programs give them."""

from __future__ import annotations

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from events.zone_aliases import zone_for
from events.zones import zone_names


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("asia/SHANGHAI", "Asia/Shanghai"),
        (' "Asia/Shanghai" ', "Asia/Shanghai"),
        ("/freeassociation.sourceforge.net/Asia/Shanghai", "Asia/Shanghai"),
        ("/freeassociation.sourceforge.net/Tzfile/Asia/Shanghai", "Asia/Shanghai"),
        (
            "/mozilla.org/20050126_1/America/Argentina/Buenos_Aires",
            "America/Argentina/Buenos_Aires",
        ),
        ("/softwarestudio.org/Olson_20011030_5/Europe/Madrid", "Europe/Madrid"),
        ("/citadel.org/20190101_1/PRC", "PRC"),
        ("China Standard Time", "Asia/Shanghai"),
        ("romance standard time", "Europe/Paris"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("UTC", "UTC"),
        ("Z", "UTC"),
        ("GMT", "GMT"),
        ("PRC", "PRC"),
        ("Nowhere/Atlantis", None),
        ("Nowhere/Shanghai", None),
        ("example.org/Asia/Shanghai", None),
        ("", None),
        ("/", None),
        ("/" * 500, None),
        ("../../etc/passwd", None),
    ],
)
def test_name_leads_to_its_zone_or_to_none(name: str, zone: str | None) -> None:
    assert zone_for(name) == zone


def test_first_known_name_counts() -> None:
    assert zone_for("Customized Time Zone 1", "Europe/Madrid", "Asia/Tokyo") == "Europe/Madrid"


def test_every_zone_of_windows_and_of_the_database_is_known() -> None:
    assert [name for name in WINDOWS_TO_OLSON if zone_for(name) not in zone_names()] == []
    assert [name for name in zone_names() if zone_for(name) != name] == []
