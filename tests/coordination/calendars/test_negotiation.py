"""Codings, entity tags and dates as RFC 9110 has them."""

from datetime import UTC, datetime

import pytest

from coordination.calendars.negotiation import choose_coding, is_as_believed, is_unchanged

CHANGED_AT = datetime(2024, 5, 14, 9, 30, tzinfo=UTC)
LAST_MODIFIED = "Tue, 14 May 2024 09:30:00 GMT"
ETAG = '"abc-gzip"'


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("identity", "identity"),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0.5", "gzip"),
        ("gzip;q=1.0, br;q=1.000", "br"),
        ("gzip;q=0", "identity"),
        ("deflate, zstd", "identity"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("br;q=0, *", "gzip"),
        ("identity;q=0.5, *;q=0", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip;q=0, br;q=0, identity;q=0", "identity"),
        ("gzip;q=2, br;q=junk", "br"),
        (" , ;q=1,gzip ; q=0.1", "gzip"),
        (";;;,,,===", "identity"),
    ],
)
def test_choose_coding_of_a_header_takes_the_best_on_offer(header: str, coding: str) -> None:
    assert choose_coding(header) == coding


@pytest.mark.parametrize(
    ("if_none_match", "unchanged"),
    [
        (None, False),
        ("", False),
        (ETAG, True),
        (f"W/{ETAG}", True),
        (f'"x", W/"y,z" ,{ETAG}', True),
        ("*", True),
        (" * ", True),
        ('"abc"', False),
        ("abc-gzip", False),
        ('"abc-gzip', False),
        ("junk", False),
    ],
)
def test_is_unchanged_by_tags_reads_lists_weakly(
    if_none_match: str | None, unchanged: bool
) -> None:
    assert (
        is_unchanged(
            if_none_match=if_none_match, if_modified_since=None, etag=ETAG, changed_at=CHANGED_AT
        )
        is unchanged
    )


@pytest.mark.parametrize(
    ("if_modified_since", "unchanged"),
    [
        (LAST_MODIFIED, True),
        ("Tue, 14 May 2024 09:30:01 GMT", True),
        ("Tue, 14 May 2024 09:29:59 GMT", False),
        ("Tuesday, 14-May-24 09:30:00 GMT", True),
        ("Tue May 14 09:30:00 2024", True),
        ("yesterday", False),
        ("", False),
        ("Thu, 99 Foo 2024 99:99:99 GMT", False),
        ("2024-05-14T09:30:00Z", False),
    ],
)
def test_is_unchanged_by_date_counts_a_junk_date_for_nothing(
    if_modified_since: str, unchanged: bool
) -> None:
    assert (
        is_unchanged(
            if_none_match=None,
            if_modified_since=if_modified_since,
            etag=ETAG,
            changed_at=CHANGED_AT,
        )
        is unchanged
    )


@pytest.mark.parametrize(
    ("if_none_match", "if_modified_since", "unchanged"),
    [
        ('"other"', LAST_MODIFIED, False),
        ("junk", LAST_MODIFIED, False),
        (ETAG, "Mon, 01 Jan 2001 00:00:00 GMT", True),
    ],
)
def test_is_unchanged_with_both_asks_the_tag_alone(
    if_none_match: str, if_modified_since: str, unchanged: bool
) -> None:
    assert (
        is_unchanged(
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
            etag=ETAG,
            changed_at=CHANGED_AT,
        )
        is unchanged
    )


@pytest.mark.parametrize(
    ("if_match", "believed"),
    [
        (None, True),
        (ETAG, True),
        (f'"x", W/"y,z" ,{ETAG}', True),
        (f'W/"x",{ETAG}', True),
        (" * ", True),
        (f"W/{ETAG}", False),
        (f'W/{ETAG},"x"', False),
        ('"abc"', False),
        ("abc-gzip", False),
        ("junk", False),
        ("", False),
    ],
)
def test_is_as_believed_by_tags_reads_lists_strongly(if_match: str | None, believed: bool) -> None:
    assert (
        is_as_believed(
            if_match=if_match, if_unmodified_since=None, etag=ETAG, changed_at=CHANGED_AT
        )
        is believed
    )


@pytest.mark.parametrize(
    ("if_match", "if_unmodified_since", "believed"),
    [
        (None, LAST_MODIFIED, True),
        (None, "Tue, 14 May 2024 09:29:59 GMT", False),
        (None, "yesterday", True),
        (ETAG, "Tue, 14 May 2024 09:29:59 GMT", True),
        ('"other"', LAST_MODIFIED, False),
    ],
)
def test_is_as_believed_by_date_where_no_tag_is_sent(
    if_match: str | None, if_unmodified_since: str, believed: bool
) -> None:
    asked = {"if_match": if_match, "if_unmodified_since": if_unmodified_since}

    assert is_as_believed(**asked, etag=ETAG, changed_at=CHANGED_AT) is believed
    assert is_as_believed(**asked, etag=ETAG, changed_at=None) is (if_match != '"other"')
