"""Private links as programs ask for them: same bytes, same tag, dead at once, little work."""

from __future__ import annotations

import gzip
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import brotli
import pytest
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alliances.joining import end_membership, found_alliance, revise_alliance
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars import fetching
from coordination.calendars.linking import (
    LinkSettings,
    issue_link,
    path_of,
    rename_link,
    replace_link,
    revoke_link,
)
from coordination.calendars.models import FeedLink
from coordination.calendars.shelf import Shelf, shelf
from coordination.changes.models import Counter
from events.models import Event
from events.scheduling import discard_event, draft_event, revise_event
from tests.factories import AT, MORNING, Cast, make_event, make_user

NOW = datetime(2028, 3, 31, 15, 30, tzinfo=UTC)
Ask = Callable[..., Any]


@pytest.fixture
def owner(cast: Cast) -> User:
    return User.objects.get(pk=cast.host_liaison.user_id)


@pytest.fixture
def event(cast: Cast) -> Event:
    return make_event(cast.alliance, audience="members", span=MORNING)


@pytest.fixture
def make_link(owner: User) -> Callable[..., FeedLink]:
    def make(**wanted: Any) -> FeedLink:
        settings = LinkSettings(**{"name": "日历", "language": "zh-hans"} | wanted)
        return issue_link(owner, settings, viewer=SYSTEM, at=AT)

    return make


@pytest.fixture
def link(make_link: Callable[..., FeedLink], event: Event) -> FeedLink:
    return make_link(parameters={"alliance": "jjj"})


@pytest.fixture
def ask(client: Client, fixed_clock: Any) -> Ask:
    def read(link: FeedLink, method: str = "get", **headers: str) -> Any:
        return getattr(client, method)(path_of(link), headers=headers)

    return read


def elsewhere() -> None:
    """Forget what this process knows, as if another one answered the next request."""
    fetching.forget_all()
    shelf.clear()


def test_link_fetched_twice_gives_the_very_same_bytes_and_headers(ask: Ask, link: FeedLink) -> None:
    first = ask(link)
    again = ask(link)
    elsewhere()
    other = ask(link)

    assert first.status_code == 200
    assert again.content == other.content == first.content
    assert dict(again.headers) == dict(other.headers) == dict(first.headers)


def test_link_says_what_programs_need_whatever_they_say_of_themselves(
    ask: Ask, link: FeedLink
) -> None:
    plain = ask(link)
    junk = {
        "Accept": "application/x-nonsense",
        "Accept-Language": "tlh",
        "Authorization": "Basic junk",
        "Cookie": "sessionid=junk; csrftoken=junk",
        "User-Agent": "\x7f" * 500,
        "Range": "bytes=0-1",
        "If-Modified-Since": "yesterday",
        "If-Range": '"x"',
    }

    response = ask(link, **junk)

    assert response.status_code == 200
    assert response.content == plain.content
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'inline; filename="calendar.ics"'
    assert response["Content-Length"] == str(len(response.content))
    assert response["Cache-Control"] == "private, max-age=0, must-revalidate"
    assert response["Vary"] == "Accept-Encoding"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Last-Modified"] == "Fri, 31 Mar 2028 15:30:00 GMT"
    assert "Access-Control-Allow-Origin" not in response
    assert not response.cookies


@pytest.mark.parametrize(
    ("coding", "decode"), [("gzip", gzip.decompress), ("br", brotli.decompress)]
)
def test_link_compressed_has_a_tag_of_its_own(
    ask: Ask, link: FeedLink, coding: str, decode: Callable[[bytes], bytes]
) -> None:
    plain = ask(link)
    packed = ask(link, **{"Accept-Encoding": coding})

    assert decode(packed.content) == plain.content
    assert packed["ETag"] == f'{plain["ETag"][:-1]}-{coding}"'
    again = ask(link, "head", **{"Accept-Encoding": coding, "If-None-Match": packed["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_of_a_link_gives_the_headers_and_no_bytes(ask: Ask, link: FeedLink) -> None:
    head, whole = ask(link, "head"), ask(link)

    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)


def test_write_to_a_link_is_405(ask: Ask, link: FeedLink) -> None:
    assert ask(link, "post").status_code == 405
    assert ask(link, "options")["Allow"] == "GET, HEAD, OPTIONS"


def test_link_asked_for_by_date_alone_is_304_until_it_changes_in_the_same_second(
    ask: Ask, link: FeedLink, event: Event
) -> None:
    first = ask(link)
    assert ask(link, **{"If-Modified-Since": first["Last-Modified"]}).status_code == 304

    revise_event(event, viewer=SYSTEM, at=NOW, title_zh="新题")

    changed = ask(link, **{"If-Modified-Since": first["Last-Modified"]})
    assert changed.status_code == 200
    assert changed["Last-Modified"] == first["Last-Modified"]  # its own second is to come yet
    assert ask(link, **{"If-Modified-Since": changed["Last-Modified"]}).status_code == 200
    elsewhere()
    assert ask(link, **{"If-Modified-Since": first["Last-Modified"]}).status_code == 200


def test_link_keeps_tag_and_date_through_what_does_not_touch_it(
    ask: Ask, cast: Cast, link: FeedLink, event: Event, fixed_clock: Any
) -> None:
    first = ask(link)
    fixed_clock.shift(timedelta(hours=3))
    make_event(cast.other, span=MORNING)
    foreign = make_event(cast.other, audience="secretariat", span=MORNING)
    revise_event(foreign, viewer=SYSTEM, at=NOW, title_zh="别的")
    discard_event(
        draft_event(cast.alliance, viewer=SYSTEM, at=NOW, title_zh="草稿"), viewer=SYSTEM, at=NOW
    )
    revise_alliance(cast.other, viewer=SYSTEM, at=NOW, name_zh="别的联盟")

    assert ask(link, **{"If-None-Match": first["ETag"]}).status_code == 304
    elsewhere()
    again = ask(link)
    assert (again["ETag"], again["Last-Modified"]) == (first["ETag"], first["Last-Modified"])
    assert again.content == first.content


def test_link_untouched_by_a_change_is_not_compiled_again(
    ask: Ask, cast: Cast, link: FeedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(link)
    make_event(cast.other, span=MORNING)
    compiled: list[FeedLink] = []
    compile_link = fetching.compile_link

    def counting(link: FeedLink, viewer: Viewer) -> str:
        compiled.append(link)
        return compile_link(link, viewer)

    monkeypatch.setattr(fetching, "compile_link", counting)

    assert ask(link, **{"If-None-Match": first["ETag"]}).status_code == 304
    elsewhere()
    assert ask(link, **{"If-None-Match": first["ETag"]}).status_code == 304
    assert compiled == []
    assert FeedLink.objects.get().number < Counter.objects.get().value
    monkeypatch.setattr(fetching, "CHANGES_UNNOTED", 0)
    elsewhere()
    assert ask(link, **{"If-None-Match": first["ETag"]}).status_code == 304
    assert compiled == []
    assert FeedLink.objects.get().number == Counter.objects.get().value
    make_event(cast.alliance, span=MORNING)
    assert ask(link, **{"If-None-Match": first["ETag"]}).status_code == 200
    assert len(compiled) == 1


def test_link_of_an_alliance_that_is_renamed_carries_the_new_name(
    ask: Ask, cast: Cast, link: FeedLink
) -> None:
    first = ask(link)

    revise_alliance(cast.alliance, viewer=SYSTEM, at=NOW, name_zh="新联盟")

    changed = ask(link, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "新联盟秘书处" in changed.content.decode()


def test_link_of_a_member_that_left_loses_its_events_at_the_next_request(
    ask: Ask, cast: Cast, link: FeedLink, event: Event
) -> None:
    first = ask(link)
    assert event.ical_uid in first.content.decode()

    membership = cast.host.memberships.get()
    end_membership(membership, on=NOW.date(), reason="退出", viewer=SYSTEM, at=NOW)

    left = ask(link, **{"If-None-Match": first["ETag"]})
    assert left.status_code == 200
    assert event.ical_uid not in left.content.decode()


def test_link_of_a_membership_that_ends_at_midnight_needs_no_clock_to_say_so(
    ask: Ask, cast: Cast, link: FeedLink, event: Event, fixed_clock: Any
) -> None:
    membership = cast.host.memberships.get()
    end_membership(membership, on=date(2028, 4, 1), reason="退出", viewer=SYSTEM, at=NOW)
    first = ask(link)
    ask(link)
    assert event.ical_uid in first.content.decode()

    fixed_clock.shift(timedelta(minutes=30))  # 00:00 on 1 April in Beijing

    left = ask(link, **{"If-None-Match": first["ETag"]})
    assert (left.status_code, event.ical_uid in left.content.decode()) == (200, False)


def test_renamed_link_has_a_new_tag_and_its_name(ask: Ask, link: FeedLink) -> None:
    first = ask(link)
    ask(link)

    rename_link(link, "新名", viewer=SYSTEM, at=NOW)

    changed = ask(link, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "X-WR-CALNAME:新名\r\n" in changed.content.decode()


def revoked(link: FeedLink) -> None:
    revoke_link(link, viewer=SYSTEM, at=NOW)


def replaced(link: FeedLink) -> None:
    replace_link(FeedLink.objects.get(pk=link.pk), viewer=SYSTEM, at=NOW)


def deleted(link: FeedLink) -> None:
    FeedLink.objects.filter(pk=link.pk).delete()


def closed(link: FeedLink) -> None:
    User.objects.filter(pk=link.user_id).update(is_active=False)


@pytest.mark.parametrize("end", [revoked, replaced, deleted, closed])
def test_link_that_ended_is_404_at_the_next_request(
    client: Client, ask: Ask, link: FeedLink, end: Callable[[FeedLink], None]
) -> None:
    path = path_of(link)
    etag = client.get(path)["ETag"]
    for _again in range(2):
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304

    end(link)

    gone = client.get(path, headers={"If-None-Match": etag, "Accept-Language": "en"})
    assert (gone.status_code, gone["Cache-Control"]) == (404, "no-store")
    assert gone.content.decode() == "There is no calendar at this address.\n"
    assert "ETag" not in gone


def test_link_made_by_a_token_ends_when_the_token_does(
    ask: Ask, owner: User, link: FeedLink, fixed_clock: Any
) -> None:
    until = NOW + timedelta(minutes=10)
    token = issue_token(owner, name="x", viewer=SYSTEM, at=AT, expires_at=until).token
    FeedLink.objects.update(token=token)
    for _again in range(2):
        assert ask(link).status_code == 200

    fixed_clock.shift(timedelta(minutes=10))

    assert ask(link).status_code == 404


@pytest.mark.parametrize(
    "secret", ["x", "A" * 43, "A" * 44, "%2e%2e", "A" * 42 + "%00", "中", "A" * 42 + "="]
)
def test_address_that_nobody_made_is_404(client: Client, link: FeedLink, secret: str) -> None:
    assert client.get(f"/calendars/links/{secret}.ics").status_code == 404


def test_fetch_is_noted_to_the_hour_with_the_program(
    ask: Ask, link: FeedLink, fixed_clock: Any
) -> None:
    def noted() -> tuple[datetime | None, str]:
        return FeedLink.objects.values_list("last_fetched_at", "last_program").get()

    ask(link, **{"User-Agent": "Google-Calendar-Importer"})
    hour = NOW.replace(minute=0)
    assert noted() == (hour, "Google Calendar")
    fixed_clock.shift(timedelta(minutes=29))
    ask(link, **{"User-Agent": "ICSx5/2.2"})
    assert noted() == (hour, "Google Calendar")
    fixed_clock.shift(timedelta(minutes=1))
    ask(link, **{"User-Agent": "ICSx5/2.2", "If-None-Match": "*"})
    assert noted() == (hour + timedelta(hours=1), "ICSx5")


def test_poll_without_news_costs_one_query_and_with_news_elsewhere_no_more_for_more_events(
    ask: Ask, cast: Cast, link: FeedLink
) -> None:
    costs = []
    for _round in range(2):
        for _number in range(10):
            make_event(cast.alliance, span=MORNING)
        etag = ask(link)["ETag"]
        ask(link)
        with CaptureQueriesContext(connection) as quiet:
            assert ask(link, **{"If-None-Match": etag}).status_code == 304
        make_event(cast.other, span=MORNING)
        with CaptureQueriesContext(connection) as busy:
            assert ask(link, **{"If-None-Match": etag}).status_code == 304
        costs.append((len(quiet), len(busy)))

    assert costs[0][0] == 1
    assert costs[0] == costs[1]


def test_fetch_while_the_row_cannot_be_written_tells_no_date(
    ask: Ask, link: FeedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "without_waiting", busy)
        first = ask(link)
        again = ask(link, **{"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert "Last-Modified" not in first
    assert FeedLink.objects.values_list("digest", "last_fetched_at").get() == ("", None)
    assert ask(link).content == first.content
    assert "Last-Modified" in ask(link)


@pytest.mark.django_db(transaction=True)
def test_link_fetched_by_many_at_once_gives_all_the_same() -> None:
    alliance = found_alliance(viewer=SYSTEM, at=AT, slug="jjj", kind="other", name_zh="联盟")
    make_event(alliance, span=MORNING)
    wanted = LinkSettings(name="日历", language="zh-hans")
    path = path_of(issue_link(make_user("reader"), wanted, viewer=SYSTEM, at=AT))

    def fetch(_number: int) -> tuple[int, bytes, str]:
        try:
            response = Client().get(path)
            return response.status_code, response.content, response["ETag"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(fetch, range(24)))

    assert [status for status, _content, _etag in found] == [200]


def test_link_that_shows_again_what_it_showed_once_has_a_later_date(
    ask: Ask, cast: Cast, link: FeedLink, event: Event, fixed_clock: Any
) -> None:
    make_event(cast.alliance, audience="secretariat", span=MORNING)
    first = ask(link)
    ask(link)
    fixed_clock.shift(timedelta(minutes=1))
    User.objects.filter(pk=link.user_id).update(is_superuser=True)
    more = ask(link)
    fixed_clock.shift(timedelta(minutes=1))
    User.objects.filter(pk=link.user_id).update(is_superuser=False)
    assert ask(link)["ETag"] == first["ETag"] != more["ETag"]

    again = ask(link, **{"If-Modified-Since": more["Last-Modified"]})

    assert (again.status_code, again["ETag"]) == (200, first["ETag"])


def test_link_that_showed_something_else_elsewhere_has_a_later_date(
    ask: Ask, cast: Cast, link: FeedLink, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_event(cast.alliance, audience="secretariat", span=MORNING)
    first = ask(link)
    User.objects.filter(pk=link.user_id).update(is_superuser=True)
    with monkeypatch.context() as patched:  # another process, with a memory of its own
        patched.setattr(fetching, "_remembered", OrderedDict())
        patched.setattr(fetching, "shelf", Shelf())
        more = ask(link)
    User.objects.filter(pk=link.user_id).update(is_superuser=False)

    again = ask(link, **{"If-Modified-Since": more["Last-Modified"]})

    assert (again.status_code, again["ETag"]) == (200, first["ETag"])
    assert more["ETag"] != first["ETag"]
