"""The cache on Redis that answers "not there" when Redis is away.

What is cached here can be thrown away, so no page waits for a Redis that does not answer: after a
failure it is left alone for some seconds, and meanwhile every key is missing and nothing is kept.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

LEFT_ALONE_SECONDS = 5.0
log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class RedisOrNothing(RedisCache):
    """Django's Redis cache, with a missing key in place of an error."""

    away_until = 0.0  # seconds of the monotonic clock

    def _ask(self, question: Callable[[], Answer], otherwise: Answer) -> Answer:
        if time.monotonic() < self.away_until:
            return otherwise
        try:
            return question()
        except (RedisError, OSError) as error:
            type(self).away_until = time.monotonic() + LEFT_ALONE_SECONDS
            log.warning("Redis does not answer, the cache is skipped: %s", error)
            return otherwise

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the value, or ``default`` where it is missing or Redis is away."""
        return self._ask(lambda: super(RedisOrNothing, self).get(key, default, version), default)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep the value for ``timeout`` seconds, if Redis is there."""
        self._ask(lambda: super(RedisOrNothing, self).set(key, value, timeout, version), None)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Keep the value where the key is free; True when Redis is away."""
        return self._ask(
            lambda: super(RedisOrNothing, self).add(key, value, timeout, version), True
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Count up by ``delta``; answers ``delta`` when Redis is away.

        Raises:
            ValueError: the key is not there.
        """
        return self._ask(lambda: super(RedisOrNothing, self).incr(key, delta, version), delta)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Lengthen a key's life; False when Redis is away."""
        return self._ask(lambda: super(RedisOrNothing, self).touch(key, timeout, version), False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a key; False when Redis is away."""
        return self._ask(lambda: super(RedisOrNothing, self).delete(key, version), False)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Tell whether the key is there; False when Redis is away."""
        return self._ask(lambda: super(RedisOrNothing, self).has_key(key, version), False)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """Return the values that are there; none when Redis is away."""
        return self._ask(lambda: super(RedisOrNothing, self).get_many(keys, version), {})

    def set_many(
        self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[Any]:
        """Keep several values, if Redis is there; return the keys that were refused."""
        return self._ask(lambda: super(RedisOrNothing, self).set_many(data, timeout, version), [])

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        """Forget several keys, if Redis is there."""
        self._ask(lambda: super(RedisOrNothing, self).delete_many(keys, version), None)

    def clear(self) -> None:
        """Forget everything, if Redis is there."""
        self._ask(lambda: super(RedisOrNothing, self).clear(), None)
