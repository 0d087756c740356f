"""No code of the ledger is shown to people as it is stored."""

import re
from pathlib import Path

from django.conf import settings
from django.utils import translation

from coordination.deliveries.reason_words import WORDS, reason_in_words

CODE = re.compile(
    r'(?:dropped_reason|reason)="([a-z_]+)"|NotWanted\([\w.]+, "([a-z_]+)"\)'
    r'|^            return "([a-z_]+)"$',
    re.MULTILINE,
)
WHERE = (
    "coordination/deliveries/last_look.py", "coordination/deliveries/outbox.py",
    "coordination/deliveries/robots.py", "coordination/deliveries/subscribing.py",
    "coordination/calendars/webhooks.py", "events/telling.py", "events/urging.py",
    "events/invitation_mail.py", "events/invitation_notices.py", "events/ledger.py",
)  # fmt: skip
NOT_REASONS = {"active", "disabled", "failing_for_days"}


def test_every_code_that_is_written_has_words() -> None:
    found = {
        code
        for name in WHERE
        for match in CODE.finditer((Path(settings.BASE_DIR) / name).read_text(encoding="utf-8"))
        for code in match.groups()
        if code
    }

    assert found - NOT_REASONS - WORDS.keys() == set()
    assert len(found) > 10


def test_a_peers_code_is_quoted() -> None:
    with translation.override("en"):
        assert reason_in_words("smtp_450") == "The other side answered 450."
        assert reason_in_words("no_address") == "The reader has no address."
        assert reason_in_words("") == ""
