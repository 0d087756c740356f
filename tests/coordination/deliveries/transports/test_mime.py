import itertools
import re
from typing import Any
from uuid import UUID

import pytest

from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Part, Rendered
from coordination.deliveries.transports.base import Letter
from coordination.deliveries.transports.email import compose
from coordination.deliveries.transports.mime import envelope_address, written

UID = UUID("0b6f4c1e-1111-5222-8333-444455556666")
CALENDAR = Part(
    "BEGIN:VCALENDAR\r\nSUMMARY:会\r\nEND:VCALENDAR\r\n".encode(),
    "text/calendar; method=REQUEST",
)
INVITE = Part(CALENDAR.content * 30, "application/ics", "invite.ics")
ARCHIVE = Part(b"PK\x00\xff" * 100, "application/zip", "材料.zip")
TABLE = Part("甲,乙\n".encode(), "text/csv", "表.csv")
MAIL = Part(b"Subject: t\n\nx\n", "message/rfc822", "was.eml")
SUBJECTS = ["Hello", "提醒：走进天开园" * 6, "x " * 60, "t\r\nBcc: a@b.cn", "Ünder"]
NAMES = ["", "Li Wei", "李联络", "Li, Wei", "欧阳" * 20, 'O"x', "Björn Å", "a" * 90]
LINK = "https://plan.example.cn/news/stop/" + "abc-_" * 40 + "/"


def letter(name: str = "李联络", **values: object) -> Letter:
    content = {"subject": "提醒", "text": "5月14日\n.dot\r\nx\rend"} | values
    rendered = Rendered(**content)  # type: ignore[arg-type]
    return Letter(UID, Reader("box:1", "li@example.org", name), rendered, 1)


def normal(mail: bytes) -> bytes:
    """Return a mail without what differs each time: the day, and what parts the pieces."""
    for number, boundary in enumerate(re.findall(rb'boundary="([^"]+)"', mail)):
        mail = mail.replace(boundary, b"boundary%d" % number)
    mail = re.sub(rb"(multipart/\w+;)\s+", rb"\1 ", mail)  # folded or not, as its length is
    return re.sub(rb"Date: [^\r]*", b"Date", mail)


@pytest.mark.parametrize(
    "parts",
    [(), (CALENDAR,), (CALENDAR, INVITE), (ARCHIVE,), (TABLE, ARCHIVE), (MAIL,)],
    ids=["none", "calendar", "invitation", "archive", "table", "mail"],
)
@pytest.mark.parametrize("html", ["", "<p>短</p>", "<p>5月14日</p>" * 200])
def test_write_a_mail_gives_the_bytes_that_django_writes(
    parts: tuple[Part, ...], html: str
) -> None:
    for name, subject, url in itertools.product(NAMES, SUBJECTS, ["", LINK]):
        mail = compose(
            letter(
                name,
                subject=subject,
                html=html,
                parts=parts,
                unsubscribe_url=url,
                reply_to="秘书处 <office@例子.cn>" if url else "",
            )
        )

        ours = written(mail, boundary=UID.hex)

        tree: Any = mail.message()
        assert normal(ours) == normal(tree.as_bytes(linesep="\r\n"))


def test_write_a_mail_twice_gives_the_same_bytes_but_the_date() -> None:
    mail = compose(letter(html="<p>x</p>", parts=(CALENDAR, INVITE)))
    one, two = (written(mail, boundary=UID.hex) for _copy in range(2))

    assert re.sub(rb"Date: .*", b"", one) == re.sub(rb"Date: .*", b"", two)


def test_write_a_text_that_holds_the_boundary_parts_the_pieces_by_another() -> None:
    text = f"--{UID.hex}a\r\n--{UID.hex}a0"
    mail = written(compose(letter(text=text, html="<p>x</p>")), boundary=UID.hex)

    assert f'boundary="{UID.hex}a00"'.encode() in mail


@pytest.mark.parametrize("name", ["Subject", "Reply-To", "X-Other"])
def test_write_a_header_with_a_line_break_is_refused(name: str) -> None:
    mail = compose(letter())
    mail.extra_headers[name] = "x\r\nBcc: evil@example.org"

    with pytest.raises(ValueError, match="newlines"):
        written(mail, boundary=UID.hex)


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("li@example.org", "li@example.org"),
        ("秘书处 <office@example.cn>", "office@example.cn"),
        ("li@例子.cn", "li@xn--fsqu00a.cn"),
        ('"li wei"@example.org', '"li wei"@example.org'),
    ],
)
def test_envelope_address_names_the_mailbox_alone(address: str, bare: str) -> None:
    assert envelope_address(address) == bare


@pytest.mark.parametrize("address", ["", "li@example.org\r\nBcc: x@y.cn", "a@b.cn, c@d.cn"])
def test_envelope_address_of_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"nvalid|newlines|empty"):
        envelope_address(address)


def test_write_long_lines_keeps_every_line_short() -> None:
    mail = written(compose(letter(text="会" * 4000)), boundary=UID.hex)

    assert max(map(len, mail.split(b"\r\n"))) <= 998
