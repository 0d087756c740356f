"""Heed what readers wish, when a delivery's time has come and before it becomes a message.

The fan-out asks nobody: it writes one line for each reader, over mail, or also over the inbox where
a rule names it. Here, once for each line, the reader's wishes decide: a copy into the inbox, the
mail now, later together with others, or no mail; an inbox that does not want it is given none, and
mail in its place. Who has no wishes gets mail at once; who has an inbox finds everything in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.inbox import INBOX, open_inboxes_of
from coordination.deliveries.models import Delivery, Endpoint, Wishes
from coordination.deliveries.news import STOPPABLE, news_of
from coordination.deliveries.personal import Digest
from coordination.deliveries.postponing import Later, is_in_time, is_window, put_off
from coordination.deliveries.recipients import readers_of

MAIL = "email"
BY_WISH = "by_wish"
QUIET = "quiet_hours"
NO_INBOX = "no_inbox"
DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(slots=True)
class _Readers:
    """What is known of the readers of some deliveries, by their keys."""

    wishes: dict[str, Wishes]
    inboxes: dict[str, int]
    zones: dict[str, str]

    def copies(self, row: Delivery) -> bool:
        """Whether the reader has an inbox, and wants such news in it."""
        return self.takes_copies(row) and row.recipient in self.inboxes

    def takes_copies(self, row: Delivery) -> bool:
        """Whether the reader wants such news in an inbox."""
        wishes = self.wishes.get(row.recipient)
        return wishes is None or wishes.takes(news_of(row.source), INBOX)


def heed(rows: Sequence[Delivery], *, at: datetime) -> list[Delivery]:
    """Return the deliveries, of those whose time has come, that go out now.

    Call it in the transaction that holds them. Deliveries to robots and web addresses, and those
    that have a window already, are left as they are. What was meant for the inbox of somebody who
    cannot sign in goes by mail.

    Args:
        rows: deliveries without a message.
        at: the database's time.
    """
    mail = [row for row in rows if row.channel == MAIL and not is_window(row.digest)]
    inbox = [row for row in rows if row.channel == INBOX]
    _open_inboxes({row.recipient for row in inbox})
    readers = _readers({row.recipient for row in (*mail, *inbox)})
    lost = [row for row in inbox if row.recipient not in readers.inboxes]
    if not readers.wishes and not readers.inboxes and not lost:
        return list(rows)
    _copy_to_inboxes([row for row in mail if readers.copies(row)], readers)
    dropped: dict[str, list[int]] = defaultdict(list)
    later: dict[Later, list[int]] = defaultdict(list)
    unwanted = [
        row for row in inbox if row.recipient in readers.inboxes and not readers.copies(row)
    ]
    _mail_instead(lost)
    _mail_instead(row for row in unwanted if _may_be_mailed(row, readers))
    dropped[NO_INBOX] += [row.pk for row in lost]
    dropped[BY_WISH] += [row.pk for row in unwanted]
    for row in mail:
        verdict = _judge(row, readers, at)
        if isinstance(verdict, Later):
            later[verdict].append(row.pk)
        elif verdict:
            dropped[verdict].append(row.pk)
    for reason, keys in dropped.items():
        Delivery.objects.filter(pk__in=keys).update(dropped_reason=reason)
    for wait, keys in later.items():
        Delivery.objects.filter(pk__in=keys).update(send_after=wait.at, digest=wait.word)
    kept_back = {key for keys in (*dropped.values(), *later.values()) for key in keys}
    return [row for row in rows if row.pk not in kept_back]


def _readers(keys: set[str]) -> _Readers:
    """Read what is needed: a few small queries, and the zones of those whose clock matters."""
    if not keys:
        return _Readers({}, {}, {})
    wishes = {row.recipient: row for row in Wishes.objects.filter(recipient__in=keys)}
    by_clock = [
        key
        for key, row in wishes.items()
        if row.quiet_from is not None or row.digest in (Digest.MORNING, Digest.WEEKLY)
    ]
    zones = {key: reader.time_zone for key, reader in readers_of(by_clock, MAIL).items()}
    return _Readers(wishes, dict(_opened(keys).values_list("owner", "pk")), zones)


def _opened(keys: set[str]) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(channel=INBOX, name="", owner__in=keys, address=INBOX)


def _open_inboxes(keys: set[str]) -> None:
    """Give an inbox to those for whom one is meant and who can sign in since a moment ago."""
    without = keys - set(_opened(keys).values_list("owner", flat=True)) if keys else keys
    able = readers_of(sorted(without), INBOX)
    new = [key for key, reader in able.items() if reader.address == INBOX]
    if new:
        open_inboxes_of(new)


def _judge(row: Delivery, readers: _Readers, at: datetime) -> Later | str:
    """Return until when a mail waits, why there is none, or "" for now."""
    wishes = readers.wishes.get(row.recipient)
    if wishes is None:
        return ""
    news, has_copy = news_of(row.source), readers.copies(row)
    may_be_silent = has_copy or (news in STOPPABLE and not row.urgent)
    if not wishes.takes(news, MAIL) and may_be_silent:
        return BY_WISH
    if row.urgent or row.lane:  # what has to keep an order is not gathered
        return ""
    zone = readers.zones.get(row.recipient, DEFAULT_ZONE)
    for digest in dict.fromkeys((wishes.digest, Digest.AT_ONCE)):
        wait = put_off(
            row.send_after,
            at=at,
            digest=digest,
            quiet_from=wishes.quiet_from,
            quiet_until=wishes.quiet_until,
            zone=zone,
        )
        if wait is None:
            return ""
        if is_in_time(wait.at, expires_at=row.expires_at):
            return wait
    # It would come too late, and now is a quiet hour: it lies in the inbox, or comes all the same.
    return QUIET if has_copy else ""


def _may_be_mailed(row: Delivery, readers: _Readers) -> bool:
    """Whether what the inbox does not want goes by mail: wanted there, or it must come."""
    news = news_of(row.source)
    wishes = readers.wishes[row.recipient]
    return wishes.takes(news, MAIL) or row.urgent or news not in STOPPABLE


def _mail_instead(rows: Iterable[Delivery]) -> None:
    """Write the same deliveries over mail; what is there already stays."""
    for row in rows:
        cause = Cause(
            source=row.source,
            source_id=row.source_id,
            generation=row.generation,
            due_at=row.due_at,
            send_after=row.send_after,
            expires_at=row.expires_at,
            about_type=row.about_type,
            about_uid=row.about_uid,
            digest=row.digest,
            never_twice=row.never_twice,
            urgent=row.urgent,
        )
        enqueue([row.recipient], channel=MAIL, cause=cause)


def _copy_to_inboxes(rows: Iterable[Delivery], readers: _Readers) -> None:
    """Write the same deliveries once more, for the inbox; what is there already stays."""
    Delivery.objects.bulk_create(
        [
            Delivery(
                source=row.source,
                source_id=row.source_id,
                generation=row.generation,
                recipient=row.recipient,
                channel=INBOX,
                endpoint_id=readers.inboxes[row.recipient],
                about_type=row.about_type,
                about_uid=row.about_uid,
                urgent=row.urgent,
                due_at=row.due_at,
                send_after=row.send_after,
                expires_at=row.expires_at,
            )
            for row in rows
        ],
        ignore_conflicts=True,
    )
