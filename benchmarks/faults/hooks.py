"""The rows about webhooks: many of them are on their way at once."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from benchmarks.faults.peers import BAD, ENDED, TAKEN, receive
from benchmarks.faults.stage import Notices, Stage

Verdict = tuple[str, bool | None]
LEASE_SECONDS = 8.0
USUAL_LEASE = 60.0
FROZEN_LEASE = 3.0
FREEZE_SECONDS = 6.0
EACH = 30  # messages between two kills
SOUND = 10
HEALTHY = 49
MESSAGES = 20  # for each endpoint
WAIT = 60.0


@dataclass
class Hooks:
    """Webhooks to receivers of every kind, and what those have heard."""

    stage: Stage
    port: int

    def owe(self, paths: list[str], messages: int) -> None:
        """Make a webhook for each path and owe it so many messages."""
        from coordination.accounts.viewer import SYSTEM
        from coordination.deliveries.posting import Piece, post
        from coordination.deliveries.subscribing import subscribe
        from coordination.deliveries.timing import database_time

        at = database_time()
        hooks = [
            subscribe(
                f"user:{uuid4()}", name=path, url=f"http://127.0.0.1:{self.port}/{path}",
                viewer=SYSTEM, at=at,
            ).subscription
            for path in paths
        ]  # fmt: skip
        for number in range(messages):
            pieces = [
                Piece(
                    subscription=hook, source_id=f"{time.time()}:{number}", kind="event.revised",
                    happened_at=at, data={"uid": str(number)},
                )
                for hook in hooks
            ]  # fmt: skip
            post(pieces, at=at)

    def heard(self) -> list[tuple[str, float, str]]:
        """Return what has been received: id, instant and path."""
        book = self.stage.folder / "hooks"
        rows = [line.split(" ") for line in book.read_text().splitlines()] if book.exists() else []
        return [(uid, float(at), path) for uid, at, path in rows]

    def wait_heard(self, number: int, seconds: float = WAIT) -> bool:
        """Wait until so many different messages were received by sound receivers."""
        return self.stage.wait(
            lambda: (
                len({uid for uid, _at, path in self.heard() if path.startswith("ok")}) >= number
            ),
            seconds,
        )


@contextlib.contextmanager
def hooks_on(stage: Stage, lease: float, *, all_sound: bool = False) -> Iterator[Hooks]:
    """Let webhooks be a channel for a while, with receivers in a process of their own."""
    from ipaddress import ip_network

    from django.conf import settings

    from coordination.deliveries import sources
    from coordination.deliveries.models import Attempt, Delivery, Endpoint, Message, Subscription
    from coordination.deliveries.transports import base
    from coordination.deliveries.transports.webhook import WebhookTransport

    source = Notices()
    source.kind = "webhook"
    sources.register_source(source)
    base.register_transport("webhook", WebhookTransport)
    WebhookTransport.lease = timedelta(seconds=lease)
    place = stage.folder / f"hooks{time.time()}"
    (stage.folder / "hooks").unlink(missing_ok=True)
    stage.fork(lambda: receive(stage.folder / "hooks", place, all_sound=all_sound), "receivers")
    stage.wait(place.exists, 10)
    port = int(place.read_text())
    settings.EGRESS_HTTP, settings.EGRESS_PORTS = True, [port]
    settings.EGRESS_NETWORKS = [ip_network("127.0.0.0/8")]
    try:
        yield Hooks(stage, port)
    finally:
        stage.kill_all()
        del sources._sources["webhook"]
        del base._factories["webhook"], base._workers["webhook"]
        for model in (Attempt, Delivery, Message, Subscription, Endpoint):
            model._default_manager.all()._raw_delete("default")


def hook_kills(stage: Stage) -> Verdict:
    """kill -9 while many webhooks are on their way"""
    from coordination.deliveries.streaming import MOST_FLYING_TO_ONE

    chance = random.Random(20281)
    total = stage.kills * EACH // SOUND * SOUND
    with hooks_on(stage, LEASE_SECONDS) as hooks:
        hooks.owe([f"ok-{number}" for number in range(SOUND)], total // SOUND)
        crew = stage.crew()
        for number in range(stage.kills):
            hooks.wait_heard(number * EACH // 2 + 10, 30)
            time.sleep(chance.random() * 0.05)
            victim = chance.choice(list(crew))
            stage.kill(victim)
            start = crew.pop(victim)
            crew[start()] = start
        done = stage.wait_sent(total, 60 + stage.kills)
        count = stage.count(arrived=[uid for uid, _at, _path in hooks.heard()])
    most = stage.kills * SOUND * MOST_FLYING_TO_ONE
    fine = done and not count.missing and count.copies <= min(most, count.doubtful)
    return f"{stage.kills} kills: {count.words}", fine


def hook_frozen(stage: Stage) -> Verdict:
    """a process that sends webhooks frozen for longer than its lease"""
    from coordination.deliveries.streaming import MOST_FLYING_TO_ONE

    total = 60 * SOUND
    with hooks_on(stage, FROZEN_LEASE) as hooks:
        hooks.owe([f"ok-{number}" for number in range(SOUND)], total // SOUND)
        first = stage.loop("frozen")
        hooks.wait_heard(30)
        os.kill(first, signal.SIGSTOP)
        stage.loop("other")
        time.sleep(FREEZE_SECONDS)
        os.kill(first, signal.SIGCONT)
        done = stage.wait_sent(total)
        time.sleep(1.5)
        count = stage.count(arrived=[uid for uid, _at, _path in hooks.heard()])
    fine = done and not count.missing and count.copies <= SOUND * MOST_FLYING_TO_ONE
    return count.words, fine


def hook_peers(stage: Stage) -> Verdict:
    """webhooks answered 4xx, 5xx, 429, 410, 3xx, by silence, a drip, a flood, garbage, a cut"""
    from coordination.deliveries.models import Attempt, Endpoint, Message

    healthy = [f"ok-{number}" for number in range(HEALTHY)]
    with hooks_on(stage, USUAL_LEASE, all_sound=True) as hooks:
        hooks.owe([*healthy, *BAD], MESSAGES)
        sound = _rate(stage, hooks)
    with hooks_on(stage, USUAL_LEASE) as hooks:
        hooks.owe([*healthy, *BAD], MESSAGES)
        beside = _rate(stage, hooks)
        stage.wait(lambda: all(_outcomes(kind) for kind in BAD), 40)
        outcomes = {kind: _outcomes(kind) for kind in BAD}
        off = set(Endpoint.objects.filter(disabled_at__isnull=False).values_list("name", flat=True))
        followed = [path for _uid, _at, path in hooks.heard() if path == "ok-redirected"]
        asked = min(
            wait.total_seconds()
            for again, ended in Attempt.objects.filter(code="http_429").values_list(
                "message__next_attempt_at", "ended_at"
            )
            if (wait := again - ended)
        )
        lost = Message.objects.filter(endpoint__name__startswith="ok").exclude(state="sent").count()
    wanted = {
        kind: {"sent"} if kind in TAKEN else {"dead"} if kind in ENDED else {"retry"}
        for kind in BAD
    }
    wrong = [kind for kind in BAD if outcomes[kind] != wanted[kind]]
    fine = not wrong and off == {"410"} and not followed and asked >= 7 and not lost
    words = f"{beside / sound:.2f} of the rate of {HEALTHY} healthy ones; 429 waits {asked:.0f} s;"
    words += f" wrongly judged: {', '.join(wrong) or 'none'}; switched off: {', '.join(off)}"
    return words, fine and beside >= sound / 2


def _rate(stage: Stage, hooks: Hooks) -> float:
    """Return messages a second that the healthy receivers got, from the first to the last."""
    stage.loop()
    hooks.wait_heard(HEALTHY * MESSAGES, 2 * WAIT)
    times = [at for _uid, at, path in hooks.heard() if path.startswith("ok")]
    return len(times) / (max(times) - min(times))


def _outcomes(kind: str) -> set[str]:
    from coordination.deliveries.models import Attempt

    return set(
        Attempt.objects.filter(message__endpoint__name=kind).values_list("outcome", flat=True)
    )
