from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client

from coordination import health
from coordination.deliveries.freshness import TriesSoFar
from coordination.deliveries.models import Attempt, Endpoint, Heartbeat, Message
from events.models import InboundMailbox


@pytest.fixture
def database_clock(db: None, fixed_clock: object, now: datetime) -> Iterator[list[datetime]]:
    """Stop the database's clock at ``now``; what stands in the list is what it shows."""
    shown = [now]

    def tell(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql == "SELECT clock_timestamp()":
            sql, params = "SELECT CAST(%s AS timestamptz)", shown
        return execute(sql, params, many, context)

    with connection.execute_wrapper(tell):
        yield shown


def due_message(at: datetime, *, channel: str = "email") -> Message:
    endpoint = Endpoint.objects.create(channel=channel, owner=f"user:{uuid4()}")
    return Message.objects.create(
        uid=uuid4(),
        endpoint=endpoint,
        recipient=endpoint.owner,
        channel=channel,
        source="reminder",
        next_attempt_at=at,
    )


def test_live_without_a_database_answers(client: Client):
    response = client.get("/healthz/live")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.django_db
def test_ready_with_a_fresh_heartbeat_answers_200(client: Client, database_clock, now):
    Heartbeat.objects.create(name="loop", beat_at=now - timedelta(seconds=30))

    response = client.get("/healthz/ready")

    assert response.json() == {
        "status": "ok",
        "checks": {
            "database": {"ok": True, "detail": connection.vendor},
            "migrations": {"ok": True, "detail": "0 missing"},
            "clock": {"ok": True, "detail": 30.0},
            "oldest_due": {"ok": True, "detail": 0.0},
        },
        "warnings": [],
    }
    assert response.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "status"), [(None, 503), (31, 503), (1, 200)])
def test_ready_by_the_age_of_the_last_heartbeat(client: Client, database_clock, now, age, status):
    if age is not None:
        Heartbeat.objects.create(name="dead host", beat_at=now - timedelta(days=3))
        Heartbeat.objects.create(name="loop", beat_at=now - timedelta(seconds=age))

    assert client.get("/healthz/ready").status_code == status


@pytest.mark.django_db
def test_ready_with_a_message_due_for_over_a_minute_answers_503(
    client: Client, database_clock, now
):
    Heartbeat.objects.create(name="loop", beat_at=now)
    due_message(now - timedelta(seconds=60))
    assert client.get("/healthz/ready").status_code == 200

    due_message(now - timedelta(seconds=61))
    response = client.get("/healthz/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["oldest_due"] == {"ok": False, "detail": 61.0}


@pytest.mark.django_db
def test_ready_with_a_mailbox_that_cannot_be_read_warns_and_answers_200(
    client: Client, database_clock, now, settings
):
    Heartbeat.objects.create(name="loop", beat_at=now)
    settings.INBOUND_MAILBOX = {"user": "reply", "host": "mail.example.org", "folder": "INBOX"}
    InboundMailbox.objects.create(
        name="reply @ mail.example.org/INBOX", failing_since=now, error="login: NO"
    )

    response = client.get("/healthz/ready")

    assert response.status_code == 200
    assert response.json()["warnings"] == [{"name": "mailbox", "since": now.isoformat()}]
    assert "example.org" not in response.content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has the host's clock")
@pytest.mark.parametrize("fast", [timedelta(minutes=-5), timedelta(minutes=5)])
def test_ready_and_metrics_judge_by_the_databases_clock_whatever_the_hosts_shows(
    client: Client, database_clock: list[datetime], now: datetime, fast: timedelta
):
    Heartbeat.objects.create(name="loop", beat_at=now)
    due_message(now - timedelta(seconds=90))
    database_clock[0] = now - timedelta(seconds=60)
    with time_machine.travel(now + fast, tick=False):
        assert client.get("/healthz/ready").status_code == 200

        database_clock[0] = now
        response = client.get("/healthz/ready")
        text = client.get("/metrics", REMOTE_ADDR="::1").content.decode()

    assert response.json()["checks"]["clock"] == {"ok": True, "detail": 0.0}
    assert response.json()["checks"]["oldest_due"] == {"ok": False, "detail": 90.0}
    assert "coordination_oldest_due_seconds 90.0\n" in text
    assert "coordination_heartbeat_age_seconds 0.0\n" in text


@pytest.mark.django_db
def test_ready_with_a_missing_migration_answers_503(client: Client, database_clock, now):
    Heartbeat.objects.create(name="loop", beat_at=now)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'changes' AND name LIKE '0001%'")

    response = client.get("/healthz/ready")

    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == {"ok": False, "detail": "1 missing"}


@pytest.mark.django_db
def test_ready_without_a_database_says_so_and_asks_nothing_else(client: Client):
    def refuse(*_arguments: object) -> None:
        raise DatabaseError("away")

    with connection.execute_wrapper(refuse):
        response = client.get("/healthz/ready")

    assert response.status_code == 503
    assert response.json()["checks"] == {"database": {"ok": False, "detail": "DatabaseError"}}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer wrong"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_metrics_from_elsewhere_do_not_exist(client: Client, settings, headers: dict[str, str]):
    settings.METRICS_TOKEN = "right"
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200

    assert client.get("/metrics", **headers).status_code == 404


@pytest.mark.django_db
def test_metrics_in_production_want_the_token(client: Client, settings):
    settings.PRODUCTION = True
    settings.METRICS_TOKEN = "right"

    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 404
    bearer = {"HTTP_AUTHORIZATION": "Bearer right"}
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7", **bearer).status_code == 200


@pytest.mark.django_db
def test_metrics_count_what_is_not_sent(client: Client, database_clock, now):
    due_message(now - timedelta(seconds=90))
    due_message(now + timedelta(seconds=90))

    text = client.get("/metrics", REMOTE_ADDR="::1").content.decode()

    assert "coordination_oldest_due_seconds 90.0\n" in text
    assert 'coordination_messages{channel="email",state="pending"} 2.0\n' in text


@pytest.mark.django_db
def test_metrics_count_tries_by_how_they_ended(client: Client, monkeypatch, now):
    monkeypatch.setattr(health, "_tries", TriesSoFar())
    message = due_message(now)
    for outcome, code in (("retry", "smtp_450"), ("retry", "smtp_450"), ("sent", "")):
        Attempt.objects.create(
            message=message, number=1, outcome=outcome, code=code, begun_at=now, ended_at=now
        )

    text = client.get("/metrics", REMOTE_ADDR="::1").content.decode()

    name = "coordination_tries_total"
    assert f'{name}{{channel="email",code="smtp_450",outcome="retry"}} 2.0\n' in text
    assert f'{name}{{channel="email",code="",outcome="sent"}} 1.0\n' in text
