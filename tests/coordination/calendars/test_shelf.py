"""Feeds are compiled once for each state, whoever asks and however many."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from alliances.joining import found_alliance
from alliances.models import Alliance
from coordination.accounts.viewer import SYSTEM
from coordination.bilingual import CHINESE, ENGLISH
from coordination.calendars.feeds import FeedAddress
from coordination.calendars.models import FeedStamp
from coordination.calendars.rendering import stamp_feeds
from coordination.calendars.shelf import Shelf
from events.calendar_event import Span
from events.models import Event
from events.scheduling import cancel_event, draft_event
from tests.coordination.calendars.conftest import AT, SPAN, MakeEvent

ADDRESS = FeedAddress("jjj", None, CHINESE)


def test_fetch_of_an_unknown_alliance_is_none(alliance: Alliance) -> None:
    assert Shelf().fetch(FeedAddress("nobody", None, CHINESE)) is None


def test_fetch_again_gives_the_very_same_rendition(event: Event) -> None:
    shelf = Shelf()

    first = shelf.fetch(ADDRESS)

    assert first is not None
    assert shelf.fetch(ADDRESS) is first
    shelf.clear()
    again = shelf.fetch(ADDRESS)
    assert again is not first
    assert again is not None
    assert again.etag("gzip") == first.etag("gzip")


def test_fetch_after_a_change_compiles_again(event: Event) -> None:
    shelf = Shelf()
    first = shelf.fetch(ADDRESS)
    cancel_event(event, reason="台风", viewer=SYSTEM, at=AT)

    second = shelf.fetch(ADDRESS)

    assert first is not None
    assert second is not None
    assert second.digest != first.digest
    assert second.changed_at > first.changed_at


def test_fetch_after_a_stamp_without_a_change_keeps_what_was_encoded(
    alliance: Alliance, event: Event
) -> None:
    shelf = Shelf()
    first = shelf.fetch(ADDRESS)
    assert first is not None
    packed = first.content("br")
    stamp_feeds([alliance.pk], at=AT + timedelta(days=1))

    second = shelf.fetch(ADDRESS)

    assert second is not None
    assert second.digest == first.digest
    assert second.codings["br"] is packed


def test_fetch_of_an_alliance_without_a_stamp_uses_its_birth(alliance: Alliance) -> None:
    FeedStamp.objects.all().delete()

    rendition = Shelf().fetch(ADDRESS)

    assert rendition is not None
    assert rendition.changed_at == AT


def test_shelf_that_is_full_throws_the_longest_unasked_for_away(event: Event) -> None:
    shelf = Shelf(limit=2_000)
    english = FeedAddress("jjj", None, ENGLISH)
    year = FeedAddress("jjj", 2024, CHINESE)
    first, second = shelf.fetch(ADDRESS), shelf.fetch(english)
    assert first is not None
    assert second is not None
    assert first.size + second.size > 2_000

    assert shelf.fetch(english) is second
    shelf.fetch(year)

    assert shelf.fetch(ADDRESS) is not first


@pytest.mark.django_db(transaction=True)
def test_fetch_by_many_at_once_compiles_once() -> None:
    alliance = found_alliance(viewer=SYSTEM, at=AT, slug="jjj", kind="other", name_zh="联盟")
    draft_event(alliance, viewer=SYSTEM, at=AT, title_zh="会", audience="public", span=SPAN)
    shelf = Shelf()

    def fetch(_: int) -> int:
        try:
            return id(shelf.fetch(ADDRESS))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(fetch, range(24)))

    assert len(found) == 1


def test_zone_of_a_feed_costs_no_query_of_its_own(
    alliance: Alliance, make_event: MakeEvent
) -> None:
    for zone in ("Europe/Madrid", "Asia/Tokyo", "Africa/Cairo"):
        make_event(span=Span(starts=SPAN.starts, ends=SPAN.ends, zone=zone))
    with CaptureQueriesContext(connection) as captured:
        Shelf().fetch(ADDRESS)

    assert len(captured) == 3
