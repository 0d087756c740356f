"""The stage of these tests: registries of their own, and one of each thing in them."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from coordination.deliveries import recipients, sources, subscribers
from coordination.deliveries.transports import base
from tests.coordination.deliveries.stage import AT, Boxes, Notices, Post


@pytest.fixture(autouse=True)
def _own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_sources", {})
    monkeypatch.setattr(subscribers, "_subscribers", {})
    monkeypatch.setattr(recipients, "_books", {})
    monkeypatch.setattr(base, "_factories", {})
    monkeypatch.setattr(base, "_workers", {})


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def source(_own_registries: None) -> Notices:
    notices = Notices()
    sources.register_source(notices)
    return notices


@pytest.fixture
def boxes(_own_registries: None) -> Boxes:
    book = Boxes()
    recipients.register_address_book("box", book)
    return book


@pytest.fixture
def post(_own_registries: None) -> Iterator[Post]:
    transport = Post()
    base.register_transport("post", lambda: transport)
    yield transport
    base.close_transports()
