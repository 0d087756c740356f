"""Which program asks, in the words under which people know it. Pure.

>>> program_named("iOS/18.1 (22B83) dataaccessd/1.0")
'Apple iOS'
>>> program_named("Radicale-Fetch/2.0 (contact@example.org)")
'Radicale-Fetch'
"""

import re
from functools import lru_cache
from typing import Final

BROWSER: Final = "browser"
KNOWN: Final = (  # the first that stands in the header, in any case
    ("google-calendar-importer", "Google Calendar"),
    ("googlebot", "Google"),
    ("dataaccessd", "Apple iOS"),
    ("calendaragent", "Apple macOS"),
    ("thunderbird", "Thunderbird"),
    ("icsx5", "ICSx5"),
    ("davx5", "DAVx5"),
    ("microsoft outlook", "Outlook"),
    ("microsoft office", "Outlook"),
    ("exchange", "Outlook.com"),
    ("outlook", "Outlook"),
    ("nextcloud", "Nextcloud"),
    ("evolution", "Evolution"),
    ("micromessenger", "WeChat"),
    ("wxwork", "WeCom"),
    ("dingtalk", "DingTalk"),
    ("lark", "Feishu"),
    ("mozilla/", BROWSER),
)
LENGTH: Final = 60  # characters
KEPT: Final = 256  # headers whose program is known

_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")


@lru_cache(maxsize=KEPT)
def program_named(user_agent: str) -> str:
    """Return a program's name out of its ``User-Agent`` (RFC 9110 section 10.1.5).

    `BROWSER` for a browser, "" for one that says nothing of itself. What else the header tells of
    the person's machine is left out.
    """
    lowered = user_agent.lower()
    for mark, name in KNOWN:
        if mark in lowered:
            return name
    match = _PRODUCT.match(user_agent.strip())
    return match[0].strip()[:LENGTH] if match else ""
