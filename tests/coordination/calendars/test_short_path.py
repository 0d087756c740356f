"""The short path gives the answers of the long one, header by header, and nothing else."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, NamedTuple

import pytest
import time_machine
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, close_old_connections, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date

from alliances.models import Alliance
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars import fetching, short_path
from coordination.calendars.linking import LinkSettings, issue_link, path_of, revoke_link
from coordination.calendars.models import FeedLink, FeedStamp
from coordination.calendars.short_path import ShortPath
from events.models import Event
from events.scheduling import revise_event
from tests.coordination.calendars.conftest import AT
from tests.factories import make_user

FEED = "/calendars/alliances/jjj.ics"
pytestmark = pytest.mark.usefixtures("open_connection")


class Answered(NamedTuple):
    """What a client gets."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def value(self, name: str) -> str:
        return dict(self.headers)[name]


Ask = Callable[..., Answered]


@pytest.fixture
def open_connection() -> Iterator[None]:
    """Keep requests from closing the test's own connection, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def asking(application: Any) -> Ask:
    def ask(path: str, method: str = "GET", query: str = "", **headers: str) -> Answered:
        answered: dict[str, Any] = {}

        def start_response(status: str, fields: list[tuple[str, str]], error: Any = None) -> None:
            answered.update(status=status, headers=fields)

        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        body = application(environ, start_response)
        content = b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return Answered(answered["status"], answered["headers"], content)

    return ask


@pytest.fixture
def long() -> Ask:
    """Ask Django's handler."""
    return asking(get_wsgi_application())


@pytest.fixture
def short() -> Ask:
    """Ask the short path alone: what it leads on is answered 599."""

    def nobody(environ: Any, start_response: Any) -> list[bytes]:
        start_response("599 Led On", [])
        return [b""]

    return asking(ShortPath(nobody))


@pytest.fixture
def link(alliance: Alliance, event: Event) -> FeedLink:
    settings = LinkSettings(name="我的活动", language="zh-hans")
    return issue_link(make_user("reader"), settings, viewer=SYSTEM, at=AT)


@pytest.fixture
def paths(link: FeedLink) -> list[str]:
    return [FEED, "/calendars/alliances/jjj/2024.ics", path_of(link)]


@pytest.mark.parametrize("coding", ["", "gzip", "br, gzip", "identity;q=0, *;q=0", "junk;q=9"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "lang=en", "lang=%65n&utm=x", "lang=zh&lang=en"])
def test_answer_with_the_bytes_is_the_same_both_ways(
    long: Ask, short: Ask, paths: list[str], coding: str, method: str, query: str
) -> None:
    for path in paths:
        headers = {"accept_encoding": coding} if coding else {}
        expected = long(path, method, query, **headers)

        assert expected.status == "200 OK"
        assert short(path, method, query, **headers) == expected


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_answer_not_modified_is_the_same_both_ways(
    long: Ask, short: Ask, paths: list[str], coding: str, method: str
) -> None:
    for path in paths:
        first = long(path, accept_encoding=coding)
        conditions = (
            {"if_none_match": first.value("ETag")},
            {"if_none_match": f'W/"x", W/{first.value("ETag")}'},
            {"if_none_match": "*"},
            {"if_modified_since": first.value("Last-Modified")},
        )
        for condition in conditions:
            expected = long(path, method, accept_encoding=coding, **condition)

            assert (expected.status, expected.body) == ("304 Not Modified", b"")
            assert short(path, method, accept_encoding=coding, **condition) == expected


@pytest.mark.parametrize(
    "condition",
    [
        {"if_none_match": '"other"'},
        {"if_none_match": "junk"},
        {"if_none_match": ""},
        {"if_modified_since": "yesterday"},
        {"if_modified_since": "Mon, 01 Jan 2024 00:00:00 GMT"},
    ],
)
def test_answer_to_a_stale_or_broken_condition_is_the_same_both_ways(
    long: Ask, short: Ask, paths: list[str], condition: dict[str, str]
) -> None:
    for path in paths:
        expected = long(path, **condition)

        assert expected.status == "200 OK"
        assert short(path, **condition) == expected


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("query", ["", "lang=en"])
def test_answer_to_who_wants_another_version_is_412_both_ways(
    long: Ask, short: Ask, paths: list[str], method: str, query: str
) -> None:
    for path in paths:
        first = long(path, query=query)
        tag = first.value("ETag")
        conditions = (
            {"if_match": '"other"'},
            {"if_match": f"W/{tag}"},
            {"if_match": tag, "accept_encoding": "gzip"},
            {"if_match": '"other"', "if_none_match": tag},
            {"if_match": '"other"', "if_modified_since": first.value("Last-Modified")},
            {"if_unmodified_since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        )
        for condition in conditions:
            expected = long(path, method, query, **condition)

            assert expected.status == "412 Precondition Failed"
            assert expected.value("Content-Type") == "text/plain; charset=utf-8"
            assert (expected.body == b"") is (method == "HEAD")
            assert short(path, method, query, **condition) == expected


def test_answer_to_who_wants_this_version_is_the_same_both_ways(
    long: Ask, short: Ask, paths: list[str]
) -> None:
    for path in paths:
        first = long(path)
        tag, at = first.value("ETag"), first.value("Last-Modified")
        for condition in ({"if_match": tag}, {"if_match": "*"}, {"if_unmodified_since": at}):
            assert long(path, **condition) == first
            assert short(path, **condition) == first
            copy = {**condition, "if_none_match": tag}
            assert long(path, **copy).status == "304 Not Modified"
            assert short(path, **copy) == long(path, **copy)


def test_answer_from_memory_is_none_to_who_wants_another_version(
    long: Ask, short: Ask, paths: list[str]
) -> None:
    for path in paths:
        copy = {"if_none_match": long(path).value("ETag")}
        assert short(path, **copy).status == "304 Not Modified"
        for condition in (
            {"if_match": '"other"'},
            {"if_unmodified_since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        ):
            assert short(path, **copy, **condition) == long(path, **copy, **condition)
            assert short(path, **copy, **condition).status == "412 Precondition Failed"


def test_answer_before_its_date_is_the_same_both_ways(long: Ask, short: Ask, event: Event) -> None:
    FeedStamp.objects.update(modified_at=timezone.now() + timedelta(hours=1))

    etag = long(FEED).value("ETag")
    for seconds in range(3):
        with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
            for condition in ({}, {"if_none_match": etag}):
                expected = long(FEED, **condition)
                assert expected.value("Last-Modified") == http_date(timezone.now().timestamp())
                assert short(FEED, **condition) == expected


@pytest.mark.parametrize("said", ["https", "http", "https, http", "HTTPS", ""])
def test_answer_behind_a_proxy_is_the_same_both_ways(event: Event, said: str) -> None:
    proxied = override_settings(
        SECURE_HSTS_SECONDS=3600, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
    )
    with proxied:
        django = get_wsgi_application()
        expected = asking(django)(FEED, x_forwarded_proto=said)
        plain = asking(django)(FEED)
        ask = asking(ShortPath(django))

        assert ask(FEED, x_forwarded_proto=said) == expected
        assert ask(FEED) == plain
        copy = {"if_none_match": plain.value("ETag")}
        unchanged = asking(django)(FEED, x_forwarded_proto=said, **copy)
        for _again in range(2):
            assert ask(FEED, **copy).status == "304 Not Modified"
            assert ask(FEED, x_forwarded_proto=said, **copy) == unchanged
        assert ("Strict-Transport-Security" in dict(expected.headers)) == said.startswith("https")


@pytest.mark.parametrize(
    ("path", "method", "query"),
    [
        ("/calendars/alliances/nobody.ics", "GET", ""),
        ("/calendars/alliances/jjj/0001.ics", "GET", ""),
        ("/calendars/alliances/jjj.ics/", "GET", ""),
        ("/calendars/alliances/jjj.ics\n", "GET", ""),
        ("/calendars/alliances/jjj", "GET", ""),
        ("/calendars/links/short.ics", "GET", ""),
        (f"/calendars/links/{'A' * 43}.ics", "GET", ""),
        ("/calendars/alliances/jjj.ics", "POST", ""),
        ("/calendars/alliances/jjj.ics", "OPTIONS", ""),
        ("/calendars/alliances/jjj.ics", "GET", "&".join(f"a{n}=1" for n in range(2000))),
        ("/robots.txt", "GET", ""),
        ("/", "GET", ""),
    ],
)
def test_request_for_anything_else_is_led_on(
    short: Ask, event: Event, path: str, method: str, query: str
) -> None:
    assert short(FEED).status == "200 OK"

    assert short(path, method, query).status == "599 Led On"


def test_request_while_the_database_fails_is_led_on(
    short: Ask, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert short(FEED).status == "200 OK"

    with CaptureQueriesContext(connection), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calendars_feedstamp RENAME TO away")
        try:
            answered = short(FEED) if connection.vendor == "sqlite" else None
        finally:
            cursor.execute("ALTER TABLE away RENAME TO calendars_feedstamp")

    assert answered is None or answered.status == "599 Led On"
    assert short(FEED).status == "200 OK"


def test_revoked_link_is_dead_at_once_both_ways(long: Ask, short: Ask, link: FeedLink) -> None:
    path = path_of(link)
    etag = short(path).value("ETag")
    for _again in range(3):
        assert short(path, if_none_match=etag).status == "304 Not Modified"

    revoke_link(link, viewer=SYSTEM, at=AT)

    assert short(path, if_none_match=etag).status == "599 Led On"
    assert long(path, if_none_match=etag).status == "404 Not Found"


def test_changed_event_shows_at_the_next_request_both_ways(
    long: Ask, short: Ask, paths: list[str], event: Event
) -> None:
    before = [short(path) for path in paths]
    revise_event(event, viewer=SYSTEM, at=AT + timedelta(days=1), title_zh="新题")

    for path, old in zip(paths, before, strict=True):
        new = short(path, if_none_match=old.value("ETag"))
        assert (new.status, "SUMMARY:新题" in new.body.decode()) == ("200 OK", True)
        assert long(path) == new


def test_poll_without_news_costs_one_query(short: Ask, paths: list[str]) -> None:
    for path in paths:
        etag = short(path).value("ETag")
        short(path, if_none_match=etag)
        with CaptureQueriesContext(connection) as captured:
            assert short(path, if_none_match=etag).status == "304 Not Modified"
        with CaptureQueriesContext(connection) as in_new_words:
            assert short(path, if_none_match=f'{etag}, "x"').status == "304 Not Modified"

        assert (len(captured), len(in_new_words)) == (1, 1)


def test_questions_in_many_words_are_answered_alike(
    long: Ask, short: Ask, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_path, "KEPT", 2)
    for path in paths:
        etag = short(path).value("ETag")
        words = [", ".join([f'"{number}"'] * number + [etag]) for number in (0, 1, 2, 900, 0)]
        for condition in words * 2:
            asked = {"if_none_match": condition}
            assert short(path, **asked) == long(path, **asked)
            assert short(path, **asked).status == "304 Not Modified"


def test_link_is_asked_for_its_rights_again_within_the_hour(short: Ask, link: FeedLink) -> None:
    path = path_of(link)
    etag = short(path).value("ETag")
    for _again in range(2):
        short(path, if_none_match=etag)

    with (
        time_machine.travel(timezone.now() + timedelta(hours=1)),
        CaptureQueriesContext(connection) as captured,
    ):
        assert short(path, if_none_match=etag).status == "304 Not Modified"

    assert len(captured) > 1


def test_fetch_that_could_not_be_written_down_is_at_the_next_poll(
    short: Ask, link: FeedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise DatabaseError

    path = path_of(link)
    etag = short(path).value("ETag")
    FeedLink.objects.update(last_fetched_at=AT)
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        with monkeypatch.context() as patched:
            patched.setattr(fetching, "without_waiting", busy)
            for _again in range(2):
                assert short(path, if_none_match=etag).status == "304 Not Modified"
        assert FeedLink.objects.get().last_fetched_at == AT

        assert short(path, if_none_match=etag).status == "304 Not Modified"
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        assert FeedLink.objects.get().last_fetched_at == hour


@pytest.mark.parametrize(
    ("method", "path", "depth"),
    [
        ("PROPFIND", "", "0"),
        ("PROPFIND", "calendars/nobody/", "1"),
        ("PROPFIND", "calendars/{uid}/jjj/", "1"),
        ("PROPFIND", "calendars/{uid}/jjj/", "infinity"),
        ("GET", "calendars/{uid}/jjj/{name}", "0"),
        ("HEAD", "calendars/{uid}/jjj/{name}", "0"),
        ("REPORT", "calendars/{uid}/jjj/", "0"),
        ("OPTIONS", "calendars/{uid}/", "0"),
        ("PUT", "calendars/{uid}/jjj/{name}", "0"),
        ("DELETE", "calendars/{uid}/jjj/{name}", "0"),
        ("MKCALENDAR", "calendars/{uid}/new/", "0"),
        ("BREW", "calendars/{uid}/jjj/", "0"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_answer_over_caldav_is_the_same_both_ways(
    long: Ask, short: Ask, event: Event, *, method: str, path: str, depth: str, is_known: bool
) -> None:
    user = make_user("reader")
    token = issue_token(
        user, name="phone", kind="app_password", scopes=["*:*"], viewer=SYSTEM, at=AT
    )
    login = b64encode(f"reader:{token.secret if is_known else 'x'}".encode()).decode()
    address = "/dav/" + path.format(uid=user.uid, name=event.dav_name)
    fields = {"authorization": f"Basic {login}", "depth": depth}

    expected = long(address, method, **fields)

    assert [short(address, method, **fields) for _time in (1, 2)] == [expected] * 2


def test_addresses_of_the_short_path_are_those_of_the_long_one() -> None:
    assert short_path.ADDRESS.fullmatch("/calendars/alliances/a-b_C9/2024.ics") is not None
    assert short_path.ADDRESS.fullmatch("/calendars/alliances/a/b/2024.ics") is None


def test_body_in_chunks_arrives_whole_with_its_length() -> None:
    seen: list[bytes] = []

    def read(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response("200 OK", [])
        return [b""]

    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/api/", "wsgi.input_terminated": True}
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"x" * 100_000)}
    ShortPath(read)(environ | chunked, lambda *_said: None)

    assert seen == [b"x" * 100_000]


def test_body_in_chunks_is_read_no_further_than_what_may_be_uploaded() -> None:
    lengths: list[str] = []

    def note(environ: Any, start_response: Any) -> list[bytes]:
        lengths.append(environ["CONTENT_LENGTH"])
        start_response("200 OK", [])
        return [b""]

    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/api/", "wsgi.input_terminated": True}
    endless = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(b"x" * 1_000_000)}
    with override_settings(COORDINATION_MAX_UPLOAD_BYTES=100_000):
        ShortPath(note)(environ | endless, lambda *_said: None)

    assert [100_000 < int(length) < 200_000 for length in lengths] == [True]


def test_link_whose_row_could_not_be_written_is_looked_at_again(
    long: Ask, short: Ask, link: FeedLink, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise DatabaseError

    path = path_of(link)
    short(path)
    revise_event(event, viewer=SYSTEM, at=timezone.now(), title_zh="新题")
    with monkeypatch.context() as patched:
        patched.setattr(fetching, "without_waiting", busy)
        etag = short(path).value("ETag")
        unsure = short(path, if_none_match=etag)
    assert "Last-Modified" not in dict(unsure.headers)

    found = short(path, if_none_match=etag)

    assert found == long(path, if_none_match=etag)
    assert found.value("Last-Modified")
