"""Is the mail going out? Figures for the health page, the banner and the metrics."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q

from coordination.changes.models import Change
from coordination.deliveries.models import (
    Attempt,
    Channel,
    Cursor,
    Delivery,
    Endpoint,
    Heartbeat,
    Message,
)
from coordination.deliveries.querysets import EndpointQuerySet
from coordination.deliveries.sources import all_sources
from coordination.deliveries.subscribers import all_subscribers
from coordination.deliveries.timing import database_time

LATE_AFTER_SECONDS = 60
SILENT_AFTER_SECONDS = 30
KEPT_KEY, KEPT_SECONDS = "deliveries-condition", 10
SURELY_THERE = timedelta(minutes=1)  # no statement that writes a try takes nearly so long
Try = tuple[str, str, str]


def beat(name: str, *, at: datetime) -> None:
    """Note that a loop went round.

    Args:
        name: "loop" or "clock"; the host's name is added.
        at: the database's time.
    """
    row = f"{name}@{socket.gethostname()}"[:120]
    if not Heartbeat.objects.filter(name=row).update(beat_at=at):
        Heartbeat.objects.get_or_create(name=row, defaults={"beat_at": at})


def heartbeat_age(at: datetime) -> float | None:
    """Return how many seconds ago any loop last went round; None when none ever did."""
    last = Heartbeat.objects.aggregate(last=Max("beat_at"))["last"]
    return None if last is None else max((at - last).total_seconds(), 0.0)


def oldest_due_seconds(at: datetime, *, channels: Iterable[str] | None = None) -> float:
    """Return for how many seconds the oldest thing that should have gone out has been due.

    Counts what waits for a loop (changes not read, reminders not fired, deliveries without a
    message) and what waits for a transport. What waits for a single endpoint that is paused or
    switched off is that endpoint's affair and does not count.

    Args:
        at: the database's time.
        channels: only messages of these, and nothing that is not a message yet; None for all.

    Returns:
        0.0 when nothing is due.
    """
    waiting = Message.objects.due(at).exclude(endpoint__in=_stopped(at).values("pk"))
    if channels is not None:
        waiting = waiting.filter(channel__in=list(channels))
    instants = [waiting.aggregate(first=Min("next_attempt_at"))["first"]]
    if channels is None:
        loose = Delivery.objects.without_message().filter(send_after__lte=at)
        instants.append(loose.aggregate(first=Min("send_after"))["first"])
        instants += [source.oldest_due_at(at) for source in all_sources()]
        instants.append(_oldest_unread())
    ages: list[float] = [
        (at - instant).total_seconds() for instant in instants if instant is not None
    ]
    return max([0.0, *ages])


def _oldest_unread() -> datetime | None:
    """Return since when a change waits to be read by whoever turns changes into deliveries."""
    names = [subscriber.name for subscriber in all_subscribers()]
    behind = Cursor.objects.filter(subscriber__in=names).order_by("number").first()
    if behind is None:
        return None
    unread = Change.objects.filter(number__gt=behind.number).order_by("number")
    made_at = unread.values_list("at", flat=True).first()
    if made_at is None or behind.moved_at is None:
        return made_at
    return max(made_at, behind.moved_at)  # a change may be entered later than it was made


def _stopped(at: datetime) -> EndpointQuerySet:
    return Endpoint.objects.filter(Q(disabled_at__isnull=False) | Q(paused_until__gt=at))


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that goes wrong beside what goes out, and that staff should know of.

    Attributes:
        name: short word for programs: "mailbox".
        since: since when, aware.
        detail: which one, and what was answered; for staff alone.
    """

    name: str
    since: datetime
    detail: str = ""


Watch = Callable[[datetime], Iterable[Warned]]
_watches: list[Watch] = []


def register_watch(watch: Watch) -> None:
    """Have `watch(at)` say what goes wrong in a room above; for `AppConfig.ready`."""
    if watch not in _watches:
        _watches.append(watch)


def warnings_at(at: datetime) -> tuple[Warned, ...]:
    """Return what goes wrong at `at` (the database's time), in the rooms above."""
    return tuple(warned for watch in _watches for warned in watch(at))


@dataclass(frozen=True, slots=True)
class Condition:
    """How deliveries are doing.

    Attributes:
        oldest_due_seconds: see the function of that name.
        heartbeat_age_seconds: None when no loop ever ran.
        paused_channels: names of channels that are paused now.
        failing_endpoints: endpoints paused after failures or switched off.
        warnings: what goes wrong beside.
    """

    oldest_due_seconds: float
    heartbeat_age_seconds: float | None
    paused_channels: tuple[str, ...]
    failing_endpoints: int
    warnings: tuple[Warned, ...] = ()

    @property
    def is_late(self) -> bool:
        """Whether something is due for over a minute, or no loop was heard of for 30 s."""
        age = self.heartbeat_age_seconds
        silent = age is None or age > SILENT_AFTER_SECONDS
        return silent or self.oldest_due_seconds > LATE_AFTER_SECONDS


def condition(at: datetime) -> Condition:
    """Return how deliveries are doing at `at` (the database's time)."""
    paused = Channel.objects.filter(paused_until__gt=at).order_by("name")
    return Condition(
        oldest_due_seconds=oldest_due_seconds(at),
        heartbeat_age_seconds=heartbeat_age(at),
        paused_channels=tuple(paused.values_list("name", flat=True)),
        failing_endpoints=Endpoint.objects.failing().count(),
        warnings=warnings_at(at),
    )


def condition_lately() -> Condition:
    """Return how deliveries are doing; looked up every 10 s at most."""
    found: Condition | None = cache.get(KEPT_KEY)
    if found is None:
        found = condition(database_time())
        cache.set(KEPT_KEY, found, KEPT_SECONDS)
    return found


def trouble_now() -> Condition | None:
    """Return how deliveries are doing where that is not well; looked up every 10 s at most."""
    found = condition_lately()
    return found if found.is_late or found.paused_channels or found.warnings else None


def messages_by_state() -> dict[str, int]:
    """Return state -> how many messages; counts the whole ledger."""
    rows = Message.objects.order_by().values_list("state").annotate(number=Count("pk"))
    return dict(rows)


class TriesSoFar:
    """Counts the tries of the ledger, each once, however often it is asked.

    A row's key is drawn before the row can be seen, so one with a lower key may come later. What
    was the last row a minute ago has none before it on its way any more; what came after it is
    counted anew.
    """

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._lock = threading.Lock()
        self._known: Counter[Try] = Counter()
        self._known_to = 0
        self._last: tuple[datetime, int] | None = None

    def count(self, at: datetime) -> Counter[Try]:
        """Return (channel, outcome, code) -> how many tries ended so.

        Args:
            at: the database's time.
        """
        with self._lock:
            if self._last is not None and at - self._last[0] >= SURELY_THERE:
                self._known += _tries(self._known_to, self._last[1])
                self._known_to, self._last = self._last[1], None
            newest = Attempt.objects.aggregate(last=Max("pk"))["last"] or 0
            if newest < self._known_to:  # another ledger, from a backup
                self._known, self._known_to, self._last = Counter(), 0, None
            if self._last is None:
                self._last = at, newest
            return self._known + _tries(self._known_to, newest)


def _tries(after: int, last: int) -> Counter[Try]:
    """Count tries by how they ended, of those with keys above one and up to another."""
    rows = Attempt.objects.filter(pk__gt=after, pk__lte=last).order_by()
    counted = rows.values_list("message__channel", "outcome", "code").annotate(number=Count("pk"))
    return Counter({(channel, outcome, code): number for channel, outcome, code, number in counted})
