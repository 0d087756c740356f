"""The mailbox is read by one process at a time; a mail is marked only once it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from coordination.deliveries.freshness import Warned
from events import mailbox
from events.inbound import LARGEST
from events.mailbox import Fetcher, failing_mailboxes, name_of, visit
from events.models import InboundMailbox, InboundMessage
from tests.events.fake_imap import Folder, fake_imap
from tests.factories import AT

pytestmark = pytest.mark.django_db
LETTER = b"From: zhang@example.org\r\nSubject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def server() -> Iterator[tuple[dict[str, Any], Folder]]:
    with fake_imap() as (port, folder):
        box = {
            "host": "127.0.0.1",
            "port": port,
            "user": "reply",
            "password": "secret",
            "folder": "INBOX",
            "handled": "",
            "tls": "none",
        }
        yield box, folder


def letters() -> list[tuple[bytes, str]]:
    rows = InboundMessage.objects.order_by("pk")
    return [(bytes(row.raw or b""), row.state) for row in rows]


def test_visit_keeps_what_is_unread_and_marks_it(server: Any) -> None:
    box, folder = server
    folder.mails = {7: LETTER, 9: LETTER + b"two\r\n"}

    new, again = visit(box, at=AT), visit(box, at=AT)

    assert (new, again) == (2, 0)
    assert letters() == [(LETTER, "waiting"), (LETTER + b"two\r\n", "waiting")]
    assert folder.seen == {7, 9}
    row = InboundMailbox.objects.get()
    assert (row.name, row.read_at, row.lease_until, row.failing_since) == (
        "reply @ 127.0.0.1/INBOX",
        AT,
        None,
        None,
    )


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 MOVE", "IMAP4rev1 UIDPLUS"])
def test_visit_moves_what_was_kept_where_a_folder_is_named(server: Any, capabilities: str) -> None:
    box, folder = server
    folder.mails, folder.capabilities = {7: LETTER}, capabilities

    visit(box | {"handled": "已处理 & 归档"}, at=AT)

    assert folder.moved == {7: "&XfJZBHQG- &- &X1JoYw-"}
    assert folder.mails == {}


def test_visit_after_one_that_died_before_marking_keeps_the_mail_once(server: Any) -> None:
    box, folder = server
    folder.mails = {7: LETTER}
    visit(box, at=AT)
    folder.seen.clear()

    assert visit(box, at=AT) == 0
    assert len(letters()) == 1
    assert folder.seen == {7}


def test_mail_that_the_server_will_not_give_does_not_hold_up_the_others(server: Any) -> None:
    box, folder = server
    folder.mails, folder.refuses = {7: LETTER, 9: LETTER + b"two\r\n"}, {7}

    assert visit(box, at=AT) == 1
    assert letters() == [(LETTER + b"two\r\n", "waiting")]
    assert InboundMailbox.objects.get().failing_since is None


@pytest.mark.parametrize("how", ["garbled", "breaks"])
def test_mail_at_which_the_server_stumbles_does_not_hold_up_the_others(
    server: Any, how: str
) -> None:
    box, folder = server
    folder.mails = {7: LETTER, 9: LETTER + b"two\r\n"}
    setattr(folder, how, {7})

    assert visit(box, at=AT) == 1
    assert letters() == [(LETTER + b"two\r\n", "waiting")]
    assert (folder.seen, InboundMailbox.objects.get().failing_since) == ({9}, None)


@pytest.mark.parametrize("how", ["refuses", "garbled", "breaks"])
def test_mail_that_was_missed_is_tried_again_though_somebody_has_read_it(
    server: Any, how: str
) -> None:
    box, folder = server
    visit(box, at=AT)
    folder.mails = {7: LETTER, 9: LETTER + b"two\r\n"}
    setattr(folder, how, {7})
    visit(box, at=AT)
    folder.seen.add(7)
    missed = visit(box, at=AT)
    setattr(folder, how, set())
    folder.fetched.clear()

    new, again = visit(box, at=AT), visit(box, at=AT)

    assert (missed, new, again) == (0, 1, 0)
    assert folder.fetched == [7]
    assert letters() == [(LETTER + b"two\r\n", "waiting"), (LETTER, "waiting")]


@pytest.mark.parametrize("gone", [True, False])
def test_mail_that_was_missed_and_is_gone_is_forgotten(server: Any, gone: bool) -> None:
    box, folder = server
    folder.mails, folder.refuses = {7: LETTER, 9: LETTER + b"two\r\n"}, {7}
    visit(box, at=AT)
    remembered = InboundMailbox.objects.get().missed_uids
    folder.seen.add(7)
    if gone:
        folder.mails.pop(7)
    else:  # made anew: the number is another mail's
        folder.validity = 2
    folder.fetched.clear()

    visit(box, at=AT)

    assert (remembered, InboundMailbox.objects.get().missed_uids) == ("7", "")
    assert folder.fetched == []


def test_mailbox_whose_server_hangs_up_again_and_again_is_shown_as_failing(server: Any) -> None:
    box, folder = server
    folder.mails = {uid: LETTER + b"%d" % uid for uid in range(1, 9)}
    folder.breaks = set(folder.mails)

    assert visit(box, at=AT) == 0
    assert InboundMailbox.objects.get().failing_since == AT
    assert folder.seen == set()


def test_visit_of_a_server_that_asks_who_comes_says_so(server: Any) -> None:
    box, folder = server
    folder.mails, folder.asks_who = {7: LETTER}, True
    folder.capabilities = "IMAP4rev1 ID UIDPLUS"

    assert visit(box, at=AT) == 1
    assert letters() == [(LETTER, "waiting")]


@pytest.mark.parametrize("how", ["NO", "BAD"])
def test_visit_of_a_server_that_will_not_say_more_keeps_what_is_unread(
    server: Any, how: str
) -> None:
    box, folder = server
    folder.capabilities, folder.denies = "IMAP4rev1 ID UIDPLUS", {"ID": how, "LIST": how}
    visit(box, at=AT)
    folder.mails = {7: LETTER}

    assert (visit(box, at=AT), visit(box, at=AT)) == (1, 0)
    assert InboundMailbox.objects.get().failing_since is None


def test_visit_keeps_what_came_since_the_last_one_though_somebody_has_read_it(server: Any) -> None:
    box, folder = server
    old = {3: LETTER + b"from before\r\n", 5: LETTER + b"and this\r\n"}
    folder.mails, folder.seen = old | {7: LETTER}, {3, 5}
    first = visit(box, at=AT)
    folder.mails[9] = LETTER + b"two\r\n"
    folder.seen.add(9)
    folder.fetched.clear()

    new, again = visit(box, at=AT), visit(box, at=AT)

    assert (first, new, again) == (1, 1, 0)
    assert letters() == [(LETTER, "waiting"), (LETTER + b"two\r\n", "waiting")]
    assert folder.fetched == [9]


def test_visit_after_a_restore_keeps_what_was_marked_since_the_copy_was_made(server: Any) -> None:
    box, folder = server
    visit(box, at=AT)
    copy = InboundMailbox.objects.get()
    folder.mails = {7: LETTER}
    visit(box, at=AT)
    InboundMessage.objects.all().delete()
    copy.save()

    assert (visit(box, at=AT), folder.seen) == (1, {7})
    assert letters() == [(LETTER, "waiting")]


def test_visit_that_leaves_some_for_the_next_finds_them_though_somebody_has_read_them(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, folder = server
    monkeypatch.setattr(mailbox, "MOST_A_VISIT", 1)
    visit(box, at=AT)
    folder.mails = {7: LETTER, 9: LETTER + b"two\r\n"}
    visit(box, at=AT)
    folder.seen.add(9)

    assert visit(box, at=AT) == 1
    assert letters() == [(LETTER, "waiting"), (LETTER + b"two\r\n", "waiting")]


def test_visit_of_a_folder_that_was_made_anew_keeps_what_is_unread(server: Any) -> None:
    box, folder = server
    folder.mails = {70: LETTER}
    visit(box, at=AT)
    folder.mails, folder.seen, folder.validity = {1: LETTER, 2: LETTER + b"two\r\n"}, {1}, 2

    assert visit(box, at=AT) == 1
    folder.mails[3] = LETTER + b"three\r\n"
    folder.seen.add(3)
    assert visit(box, at=AT) == 1
    assert len(letters()) == 3


def test_mail_that_is_too_large_is_set_aside_unread(server: Any) -> None:
    box, folder = server
    folder.mails = {7: b"Subject: x\r\n\r\n" + b"x" * LARGEST}

    assert visit(box, at=AT) == 1
    assert letters() == [(b"", "set_aside")]


def test_visit_while_another_process_reads_does_nothing(server: Any) -> None:
    box, folder = server
    folder.mails = {7: LETTER}
    InboundMailbox.objects.create(name=name_of(box), lease_until=AT + timedelta(seconds=1))

    early, late = visit(box, at=AT), visit(box, at=AT + timedelta(seconds=1))

    assert (early, late) == (0, 1)


def test_mailbox_that_refuses_or_hangs_is_shown_and_tried_again(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, folder = server
    monkeypatch.setattr(mailbox, "SECONDS_OF_SILENCE", 0.2)
    folder.password, folder.mails = "other", {7: LETTER}
    visit(box, at=AT)
    refused = InboundMailbox.objects.get()
    folder.hangs = True
    visit(box, at=AT + timedelta(minutes=1))
    hung = InboundMailbox.objects.get()
    folder.hangs, folder.password = False, "secret"
    new = visit(box, at=AT + timedelta(minutes=2))

    assert refused.failing_since == AT
    assert "AUTHENTICATIONFAILED" in refused.error
    assert "secret" not in refused.error
    assert (hung.failing_since, hung.lease_until) == (AT, None)
    assert new == 1
    assert InboundMailbox.objects.get().failing_since is None


@pytest.mark.parametrize("password", ["口令", "a\r\nb"])
def test_mailbox_with_a_password_that_imap_cannot_carry_is_shown_as_failing(
    server: Any, settings: Any, password: str
) -> None:
    box, _folder = server
    settings.INBOUND_MAILBOX = box | {"password": password}

    visit(settings.INBOUND_MAILBOX, at=AT)

    [warned] = failing_mailboxes(AT + timedelta(minutes=1))
    assert (warned.name, warned.since) == ("mailbox", AT)
    assert password not in warned.detail
    assert InboundMailbox.objects.get().lease_until is None


def test_mailbox_whose_server_talks_nonsense_is_shown_as_failing(
    server: Any, settings: Any
) -> None:
    box, folder = server
    settings.INBOUND_MAILBOX = box
    folder.mails, folder.search = {7: LETTER}, b"* SEARCH \xff\xfe"

    visit(box, at=AT)

    assert [warned.since for warned in failing_mailboxes(AT)] == [AT]


def test_visit_of_a_server_that_says_nothing_where_nothing_is_found_reads_nothing(
    server: Any,
) -> None:
    box, folder = server
    folder.search = b""

    assert visit(box, at=AT) == 0
    row = InboundMailbox.objects.get()
    assert (row.read_at, row.failing_since) == (AT, None)


def test_failing_mailboxes_are_the_one_in_use_that_refuses_or_that_nobody_reads(
    server: Any, settings: Any
) -> None:
    box, folder = server
    InboundMailbox.objects.create(name="former @ host/INBOX", failing_since=AT, error="gone")
    settings.INBOUND_MAILBOX = None
    assert failing_mailboxes(AT) == []
    settings.INBOUND_MAILBOX = box
    assert failing_mailboxes(AT) == []
    visit(box, at=AT)
    quarter = timedelta(minutes=15)

    well, unread = failing_mailboxes(AT + quarter), failing_mailboxes(AT + quarter * 2)
    folder.password = "other"
    visit(box, at=AT + quarter * 2)
    [refused] = failing_mailboxes(AT + quarter * 3)

    name = "reply @ 127.0.0.1/INBOX"
    assert well == []
    assert unread == [Warned("mailbox", AT, name)]
    assert (refused.name, refused.since) == ("mailbox", AT + quarter * 2)
    assert refused.detail.startswith(f"{name}: ")


def test_fetcher_without_a_mailbox_begins_nothing(settings: Any) -> None:
    settings.INBOUND_MAILBOX = None

    assert Fetcher().begin(AT) is False


@pytest.mark.django_db(transaction=True)
def test_fetcher_reads_in_a_thread_of_its_own(server: Any, settings: Any) -> None:
    box, folder = server
    folder.mails = {7: LETTER}
    settings.INBOUND_MAILBOX = box
    fetcher = Fetcher()

    began = fetcher.begin(AT)
    fetcher.join(10)

    assert began is True
    assert letters() == [(LETTER, "waiting")]
