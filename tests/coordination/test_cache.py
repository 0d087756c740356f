import time

import pytest

from coordination.cache import RedisOrNothing
from tests.servers import ServerDidNotStart, free_port, temporary_redis

OPTIONS = {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}


@pytest.fixture
def _answering_again():
    yield
    RedisOrNothing.away_until = 0.0


@pytest.mark.usefixtures("_answering_again")
def test_cache_with_redis_away_keeps_nothing_and_waits_for_nothing():
    cache = RedisOrNothing(f"redis://127.0.0.1:{free_port()}/0", OPTIONS)

    started = time.monotonic()
    cache.set("key", "value")

    assert cache.get("key", "otherwise") == "otherwise"
    assert cache.add("key", "value") is True
    assert cache.get_many(["key"]) == {}
    assert cache.set_many({"key": "value"}) == []
    assert cache.has_key("key") is False
    assert cache.touch("key") is False
    assert cache.delete("key") is False
    assert cache.get_or_set("key", lambda: "made") == "made"
    assert cache.incr("count") == 1
    cache.clear()
    assert time.monotonic() - started < 2.5


@pytest.mark.usefixtures("_answering_again")
def test_cache_with_redis_there_keeps_what_it_is_given():
    try:
        with temporary_redis() as url:
            cache = RedisOrNothing(url, OPTIONS)
            cache.set("key", {"名": 1})

            assert cache.get("key") == {"名": 1}
            assert cache.add("key", "other") is False
            assert cache.get_many(["key", "none"]) == {"key": {"名": 1}}
            cache.set("count", 1)
            assert cache.incr("count") == 2
            cache.clear()
            assert cache.get("key") is None
            cache.close()
    except ServerDidNotStart as error:
        pytest.skip(str(error))
