"""What the API remembers: the answers to requests that may be repeated. Soon forgotten."""

from __future__ import annotations

from django.db import models


class IdempotencyKey(models.Model):
    """The first answer to a request that came with an `Idempotency-Key`.

    Attributes:
        owner: who asked ("user:<uid>").
        key: as the client wrote it.
        fingerprint: of method, path and body.
        status: the answer's status; 0 while it is not known.
        headers: header fields to repeat.
        body: the answer's bytes.
        expires_at: instant from which the key may be used anew.
    """

    owner = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_is_used_once")
        ]

    def __str__(self) -> str:
        """Show whose it is."""
        return f"{self.owner} {self.key}"
