"""A hostile mail is read in the time that its length takes, or not at all.

The larger ones would keep a reader busy for hours, were anything in them looked at again and again.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from events.inbound import LARGEST, read_waiting, receive
from events.mail_reading import is_tangled, read_mail
from tests.factories import AT

HEAD = b"From: Zhang <zhang@example.org>\r\nTo: reply@example.org\r\nSubject: Re: forum\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
SIZE = LARGEST - 1000


def nested(depth: int, lines: int) -> bytes:
    """Return a mail with parts in parts in parts, and lines in the innermost."""
    inner = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        for level in range(depth)
    )
    return HEAD + inner + b"Content-Type: text/plain\r\n\r\n" + b"\r\n" * lines


@pytest.mark.parametrize("piece", [b"<", b"<p", b"<style ", b"<script>", b"<!--"])
def test_read_html_of_tags_that_never_end_reads_it_once(piece: bytes) -> None:
    found = read_mail(HEAD + HTML + b"We come.<br>" + piece * (SIZE // len(piece)))
    assert (found.sender, found.note.split("\n")[0]) == ("zhang@example.org", "We come.")


def test_read_html_with_style_and_script_keeps_the_words() -> None:
    html = b"<style>p {color: red}</style><p>We come.</p><script>1 < 2</script><p>All three.</p>"
    assert read_mail(HEAD + HTML + html).note == "We come.\nAll three."


@pytest.mark.parametrize("piece", [b"a ", b"=?utf-8?q?a?= ", b"=?"])
def test_read_header_without_end_reads_its_beginning(piece: bytes) -> None:
    found = read_mail(b"From: zhang@example.org\r\nSubject: " + piece * (SIZE // len(piece)))
    assert (found.sender, len(found.subject)) == ("zhang@example.org", 300)


@pytest.mark.parametrize(("depth", "lines", "expected"), [(8, 5_000, False), (300, 200_000, True)])
def test_is_tangled_of_parts_in_parts_counts_what_each_line_is_held_against(
    depth: int, lines: int, expected: bool
) -> None:
    assert is_tangled(nested(depth, lines)) is expected


def test_receive_a_tangled_mail_sets_it_aside_without_its_bytes(db: None) -> None:
    row, _is_new = receive(nested(300, 200_000), way="post", at=AT)
    assert (row.state, row.raw, row.error, row.is_open) == ("set_aside", None, "tangled", True)
    assert read_waiting(at=AT + timedelta(minutes=1)) == 0


@pytest.mark.parametrize("charset", ["undefined", "punycode", "x-none", '"utf\0-8"', "hex", ""])
def test_read_text_in_a_charset_that_is_none_reads_it_all_the_same(charset: str) -> None:
    head = f"From: a@example.org\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"

    assert read_mail(head.encode() + "我们两人参加".encode("gb18030")).note == "我们两人参加"
