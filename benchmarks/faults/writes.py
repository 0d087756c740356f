"""The row about people who write in the web while letters go out."""

import json
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from benchmarks.faults.stage import Stage, set_lease

Verdict = tuple[str, bool | None]
LETTERS = 600
WRITERS = 4
USUAL_LEASE = 120.0


@dataclass
class Answers:
    """What the writers were told, and how long they waited."""

    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def web_writes(stage: Stage) -> Verdict:
    """people write in the web while letters go out: nobody is told that the database is busy"""
    set_lease(USUAL_LEASE)
    paths, headers = _events_and_rights()
    _write(paths[0], headers, Answers(), most=1)  # what is read once in a process's life
    stage.owe(LETTERS)
    stage.crew()
    stage.wait(lambda: len(stage.arrivals()) > 20, 30)
    stop, answers = threading.Event(), Answers()
    writers = [
        threading.Thread(target=_write, args=(path, headers, answers, stop)) for path in paths
    ]
    for writer in writers:
        writer.start()
    done = stage.wait_sent(LETTERS, 180)
    stop.set()
    for writer in writers:
        writer.join()
    count = stage.count()
    worst = max(answers.seconds)
    p95 = statistics.quantiles(answers.seconds, n=20)[-1]
    words = f"{len(answers.seconds)} writes by {WRITERS} at once, {len(answers.refused)} refused"
    words += f" {answers.refused[:1] or ''}; p95 {p95 * 1000:.0f} ms, worst {worst:.1f} s"
    fine = done and not answers.refused and len(answers.seconds) > WRITERS
    return f"{words}; {count.words}", fine and not count.missing and not count.copies


def _events_and_rights() -> tuple[list[str], dict[str, str]]:
    """Return addresses of events that are written to, and the headers of who may."""
    from coordination.accounts.tokens import issue_token
    from coordination.accounts.viewer import SYSTEM
    from tests.factories import make_alliance, make_event, make_person, secretariat_of

    word = f"writes{time.time_ns()}"
    alliance = make_alliance(word[-20:])
    clerk = make_person(
        word, role="staff", body=secretariat_of(alliance), starts_on=date(2020, 1, 1)
    )
    events = [make_event(alliance) for _n in range(WRITERS)]
    token = issue_token(
        clerk.user, name="faults", scopes=("*:*",), viewer=SYSTEM, at=datetime.now(UTC)
    )
    headers = {"Authorization": f"Bearer {token.secret}", "If-Match": "*"}
    return [f"/api/v1/events/{event.uid}/" for event in events], headers


def _write(
    path: str,
    headers: dict[str, str],
    answers: Answers,
    stop: threading.Event | None = None,
    *,
    most: int = 10_000,
) -> None:
    from django.db import connection
    from django.test import Client

    client = Client(headers=headers)
    for number in range(most):
        if stop is not None and stop.is_set():
            break
        begun = time.monotonic()
        answer = client.patch(
            path, json.dumps({"title": f"第{number}次"}), content_type="application/json"
        )
        answers.seconds.append(time.monotonic() - begun)
        if answer.status_code != 200:
            answers.refused.append(answer.content.decode()[:200])
    if stop is not None:
        connection.close()
