import pytest

from coordination.deliveries.sources import Part, Rendered, UnknownSource, source_of
from tests.coordination.deliveries.stage import Notices


def test_rendered_from_what_is_stored_is_the_same() -> None:
    rendered = Rendered(
        subject="提醒",
        text="一\n二",
        html="<p>一</p>",
        language="en",
        unsubscribe_url="https://x.test/",
        parts=(Part(b"\x00\xff", "application/zip", "a.zip"), Part(b"x", "text/calendar")),
    )

    assert Rendered.from_stored(rendered.stored()) == rendered


def test_source_of_an_unknown_kind_is_refused(source: Notices) -> None:
    assert source_of("notice") is source
    with pytest.raises(UnknownSource):
        source_of("nothing")
