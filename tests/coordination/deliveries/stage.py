"""A source, an address book and a channel for tests; and short forms of what tests do."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from coordination.deliveries.backoff import MAIL
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.draining import Drain, Tally
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Delivery, Message
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from coordination.deliveries.timing import Timepiece
from coordination.deliveries.transports.base import Letter, Receipt, TransportError

AT = datetime(2028, 2, 29, 15, 30, tzinfo=UTC)  # 23:30 on a leap day in Beijing


@dataclass
class Notices:
    """A source whose notices are wanted unless said otherwise."""

    kind: str = "notice"
    refusals: dict[str, str] = field(default_factory=dict)
    poisoned: set[str] = field(default_factory=set)
    due: list[Cause] = field(default_factory=list)
    audience: list[str] = field(default_factory=list)

    def fire_next(self, at: datetime) -> bool:
        ready = [cause for cause in self.due if cause.due_at <= at]
        if not ready:
            return False
        enqueue(self.audience, channel="post", cause=ready[0])
        self.due.remove(ready[0])
        return True

    def oldest_due_at(self, at: datetime) -> datetime | None:
        return min((cause.due_at for cause in self.due if cause.due_at <= at), default=None)

    def still_wanted(self, delivery: Delivery, reader: Reader, at: datetime) -> str:
        return self.refusals.get(delivery.recipient, self.refusals.get(delivery.source_id, ""))

    def render(self, deliveries: Sequence[Delivery], reader: Reader, at: datetime) -> Rendered:
        if self.poisoned & {delivery.recipient for delivery in deliveries}:
            raise KeyError("a name the template does not know")
        names = "、".join(delivery.source_id for delivery in deliveries)
        return Rendered(
            subject=f"通知 {names}",
            text=f"{reader.name}:{names} {at.isoformat()}",
            language=reader.language,
        )


@dataclass
class Boxes:
    """An address book in which "box:7" is reached at box7@example.org."""

    gone: set[str] = field(default_factory=set)
    bounced: list[tuple[str, str]] = field(default_factory=list)
    host: str = "example.org"
    sign_in: set[str] = field(default_factory=set)

    def readers(self, keys: Sequence[str], channel: str) -> dict[str, Reader]:
        if channel == "inbox" and self.sign_in:
            return {key: Reader(key, "inbox") for key in keys if key in self.sign_in}
        return {
            key: Reader(key, f"{key.replace('box:', '')}@{self.host}", name=f"收件人 {key}")
            for key in keys
            if key not in self.gone
        }

    def mark_bounced(self, recipient: str, channel: str, address: str, at: datetime) -> None:
        self.bounced.append((recipient, address))


@dataclass
class Post:
    """A transport that keeps what it carries, and fails as it is told."""

    lease: timedelta = timedelta(seconds=120)
    schedule = MAIL
    carried: list[Letter] = field(default_factory=list)
    failures: dict[str, TransportError] = field(default_factory=dict)
    closed: TransportError | None = None
    before: Callable[[Letter], None] | None = None

    def prepare(self) -> None:
        if self.closed is not None:
            raise self.closed

    def send(self, letter: Letter) -> Receipt:
        if self.before is not None:
            self.before(letter)
        if letter.reader.recipient in self.failures:
            raise self.failures[letter.reader.recipient]
        self.carried.append(letter)
        return Receipt("taken")

    def close(self) -> None:
        pass


def cause(source_id: str = "1", **values: object) -> Cause:
    chosen: dict[str, object] = {
        "source": "notice",
        "source_id": source_id,
        "due_at": AT,
        "send_after": AT,
    }
    return Cause(**(chosen | values))  # type: ignore[arg-type]


def queue(*recipients: str, channel: str = "post", **values: object) -> list[Message]:
    """Write deliveries for these recipients and put them into messages."""
    enqueue(recipients, channel=channel, cause=cause(**values))
    bundle_due(AT)
    return list(Message.objects.order_by("recipient", "pk"))


def drain(at: datetime = AT, *, channel: str = "post", **options: float) -> Tally:
    return Drain(channel, Timepiece(at), threading.Event()).run(**options)
