"""The headers by which mail programs offer to stop such mails (RFC 2369, 8058)."""

from uuid import UUID

from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Rendered
from coordination.deliveries.transports.base import Letter
from coordination.deliveries.transports.email import compose

UID = UUID("0b6f2d3e-2a53-4c0b-9d0c-6f0b1a6f2c51")


def headers(url: str) -> dict[str, str]:
    rendered = Rendered("提醒", "正文", unsubscribe_url=url)
    letter = Letter(UID, Reader("person:1", "a@example.org"), rendered, 1)
    named = compose(letter).extra_headers
    return {name: value for name, value in named.items() if name.startswith("List-")}


def test_compose_over_https_offers_one_click() -> None:
    assert headers("https://rili.example.org/news/stop/x/") == {
        "List-Unsubscribe": "<https://rili.example.org/news/stop/x/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_compose_without_tls_offers_the_page_alone() -> None:
    assert headers("http://127.0.0.1:8000/news/stop/x/") == {
        "List-Unsubscribe": "<http://127.0.0.1:8000/news/stop/x/>"
    }


def test_compose_of_what_must_come_offers_nothing() -> None:
    assert headers("") == {}
