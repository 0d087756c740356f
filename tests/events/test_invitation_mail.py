"""An invitation in mail: text, HTML and calendar part say the same, in the reader's language."""

from __future__ import annotations

import re
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from threading import Event as Stop
from typing import Any

import icalendar
import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.accounts.models import User
from coordination.deliveries.draining import Drain
from coordination.deliveries.loop import tick
from coordination.deliveries.models import Cursor, Message
from coordination.deliveries.timing import Timepiece
from events.answer_links import answer_url, reply_address
from events.invitation_notices import InvitationNews
from events.inviting import invite_organizations
from events.models import Invitee
from events.scheduling import Host
from tests.factories import AT, Cast, make_event, make_organization

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=5)
TAG = re.compile(r"<(?:style|title)\b.*?</(?:style|title)>|<[^>]+>", re.S)


def sent(cast: Cast, *, language: str = "en", **values: object) -> EmailMessage:
    """Invite the member, and return the mail to its liaison officer as it goes over the wire."""
    Cursor.objects.get_or_create(subscriber=InvitationNews.name)
    User.objects.update(language=language)
    event = make_event(cast.alliance, scheduled=True, **values)
    invite_organizations(
        event, [cast.member], viewer=cast.secretary, at=AT, answer_by=date(2028, 5, 8)
    )
    mail.outbox.clear()
    tick(LATER, stop=Stop())
    Drain("email", Timepiece(LATER), Stop()).run()
    (one,) = mail.outbox
    raw = one.message().as_bytes(linesep="\r\n")
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(message: EmailMessage, media_type: str) -> EmailMessage:
    (found,) = (one for one in message.walk() if one.get_content_type() == media_type)
    assert isinstance(found, EmailMessage)
    return found


def test_calendar_part_stands_among_the_alternatives_and_is_attached(cast: Cast) -> None:
    message = sent(cast)

    kinds = [one.get_content_type() for one in message.walk()]
    calendar = part(message, "text/calendar")
    attached = part(message, "application/ics")
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    assert dict(calendar["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert attached.get_filename() == "invite.ics"
    assert attached.get_content() == calendar.get_payload(decode=True)


def test_calendar_part_carries_the_events_own_uid_and_sequence(cast: Cast) -> None:
    calendar = part(sent(cast), "text/calendar").get_payload(decode=True)

    (component,) = icalendar.Calendar.from_ical(calendar).walk("VEVENT")
    event = Invitee.objects.get().invitation.event
    assert (component["UID"], component["SEQUENCE"]) == (event.ical_uid, event.sequence)
    assert component["ATTENDEE"] == "mailto:liaison@example.org"


def test_replies_go_to_the_readers_own_address_where_one_is_set_up(
    cast: Cast, settings: Any
) -> None:
    settings.REPLY_ADDRESS = "reply@example.org"
    message = sent(cast)

    own = reply_address(Invitee.objects.get())
    text = part(message, "text/calendar").get_content().replace("\r\n ", "")
    assert message["Reply-To"] == own
    assert f":mailto:{own}" in text
    assert own.startswith("reply+")


def test_replies_go_to_the_secretariat_where_none_is_set_up(cast: Cast, settings: Any) -> None:
    settings.REPLY_ADDRESS = ""
    message = sent(cast)

    assert message["Reply-To"] is None
    assert "mailto:coordination@localhost" in part(message, "text/calendar").get_content()


def test_mail_asks_the_database_the_same_however_many_host_the_event(cast: Cast) -> None:
    def questions(*names: str) -> int:
        hosts = [Host(make_organization(name)) for name in names]
        with CaptureQueriesContext(connection) as asked:
            sent(cast, hosts=hosts)
        return sum("alliances_organization" in one["sql"] for one in asked)

    one = questions("成都高新区")
    assert questions("西安高新区", "武汉东湖高新区", "苏州工业园区") == one


def test_headers_ask_for_no_holiday_replies(cast: Cast) -> None:
    message = sent(cast)

    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{Message.objects.get().uid}@127.0.0.1>"
    assert message["Content-Language"] == "en"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_text_and_html_say_the_same(cast: Cast, language: str) -> None:
    message = sent(
        cast,
        language=language,
        place_zh="天津 <开园>",
        place_en="Tianjin <Park>",
        contact="010-1234",
        online_url="https://meet.example.org/1?a=1&b=2",
    )

    text = part(message, "text/plain").get_content().replace("\r\n", "\n")
    html = part(message, "text/html").get_content()
    shown = unescape(TAG.sub("\n", html))
    links = set(re.findall(r'href="([^"]+)"', html))
    url = answer_url(Invitee.objects.get())
    facts = [line for line in text.partition("\n-- \n")[0].splitlines() if line.strip()]
    without_blanks = "".join(shown.split())
    missing = [
        line
        for line in facts
        if not line.startswith("http") and "".join(line.split()) not in without_blanks
    ]
    assert missing == []
    assert {unescape(link) for link in links} >= {line for line in facts if line.startswith(url)}
    assert text.count(url) == 5
    assert "<开园>" not in html
    assert "<Park>" not in html


def test_html_stands_alone_on_a_phone_and_in_the_dark(cast: Cast) -> None:
    html = part(sent(cast), "text/html").get_content()

    assert "width=device-width" in html
    assert "prefers-color-scheme: dark" in html
    assert re.findall(r"<(?:img|link|script)\b", html) == []


def test_message_tried_again_is_the_same_to_the_byte(cast: Cast) -> None:
    sent(cast)
    first = Message.objects.get()

    rendered = first.rendered
    Message.objects.update(state="pending", sent_at=None, next_attempt_at=LATER)
    mail.outbox.clear()
    Drain("email", Timepiece(LATER + timedelta(hours=1)), Stop()).run()

    assert len(mail.outbox) == 1
    assert Message.objects.get().rendered == rendered
