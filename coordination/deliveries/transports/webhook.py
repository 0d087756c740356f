"""Webhooks: one signed POST for each message (Standard Webhooks 1.0).

2xx is success, whatever the body says. 410 switches the endpoint off. A redirect is not followed:
it would lead where nobody has agreed to, so the message fails for good with a reason that can be
read. Everything else may pass, and is tried again by the table of the specification.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from coordination.deliveries import egress
from coordination.deliveries.backoff import WEBHOOK, Schedule
from coordination.deliveries.egress import Answer, EgressFailed, EgressRefused
from coordination.deliveries.models import Endpoint
from coordination.deliveries.signing import headers_for
from coordination.deliveries.transports.base import Letter, Receipt, TransportError
from coordination.prepared import Blank, prepared

LEASE = timedelta(seconds=60)
LENGTH_OF_ANSWER = 300  # characters of an answer's body that the ledger keeps
UNSURE = frozenset({"timeout", "cut", "not_http"})


class WebhookTransport:
    """Sends letters as signed POSTs; any number of them wait for their answers at once."""

    lease = LEASE
    schedule: Schedule = WEBHOOK

    def prepare(self) -> None:
        """Do nothing: every request has a connection of its own."""

    def send(self, letter: Letter) -> Receipt:
        """Send one letter and wait for the answer.

        Raises:
            TransportError.
        """
        return self.landed(self.begin(letter))

    def begin(self, letter: Letter) -> Future[Answer]:
        """Send one letter without waiting."""
        body = letter.rendered.text.encode()
        at = datetime.now(UTC)
        secrets = _secrets_in_force(letter.endpoint_id, at=at)
        signed = headers_for(str(letter.uid), body, secrets=secrets, at=at)
        return egress.begin_post(
            letter.reader.address,
            headers={"Content-Type": "application/json"} | signed,
            content=body,
        )

    def landed(self, sent: Future[Answer]) -> Receipt:
        """Return what the answer means; waits for it.

        Raises:
            TransportError.
        """
        try:
            answer = sent.result()
        except EgressRefused as refused:
            raise TransportError(
                refused.code, refused.detail, permanent=True, switches_off=True
            ) from None
        except EgressFailed as failed:
            unsure = failed.code in UNSURE
            raise TransportError(failed.code, failed.detail, in_doubt=unsure) from None
        return self._judged(answer)

    def _judged(self, answer: Answer) -> Receipt:
        words = words_of(answer)
        if 200 <= answer.status < 300:
            return Receipt(words)
        is_gone = answer.status == 410
        raise TransportError(
            f"http_{answer.status}",
            words,
            permanent=is_gone or 300 <= answer.status < 400,
            retry_after=answer.retry_after,
            switches_off=is_gone,
        )

    def close(self) -> None:
        """Do nothing: nothing is kept open."""


@prepared
def _secrets() -> QuerySet[Endpoint, Any]:
    rows = Endpoint.objects.filter(pk=Blank(0, Endpoint, "pk"))
    return rows.values_list("secret", "previous_secret", "previous_secret_until")


def _secrets_in_force(endpoint_id: int | None, *, at: datetime) -> list[str]:
    """Return the secrets in force, the newest first: for a day the one before it signs too."""
    [(secret, previous, until)] = _secrets().rows(endpoint_id)
    return [secret, previous] if previous and until is not None and at < until else [secret]


def words_of(answer: Answer) -> str:
    """Return an answer as one line for the ledger: status, where it leads, how its body begins."""
    text = answer.body[: LENGTH_OF_ANSWER * 4].decode("utf-8", "replace")
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    words = " ".join(printable.split())[:LENGTH_OF_ANSWER]
    location = answer.headers.get("location", "")[:LENGTH_OF_ANSWER]
    return " ".join(part for part in (str(answer.status), location, words) if part)
