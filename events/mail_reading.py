"""Take apart a mail that came in: who wrote, what a calendar enclosed, what came back. Pure.

Mail is read as it comes, not as it should: a wrong charset, a calendar under the name of a file,
a report without its form. Nothing here decides what a mail is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import collapse_rfc2231_value, getaddresses
from html import unescape
from itertools import islice
from typing import Any, Final

_RECIPIENT_HEADERS: Final = (
    *("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"),
    *("X-Forwarded-To", "Resent-To"),
)
_CALENDAR_TYPES: Final = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
_ROBOTIC_PRECEDENCE: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_ROBOTIC_HEADERS: Final = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "Auto-Reply")
_ROBOTS: Final = frozenset({"mailer-daemon", "postmaster"})
_ROBOTIC_SUBJECT: Final = re.compile(
    r"\s*(自动回复|自动回覆|自动答复|automatic reply|auto(?:matic)?[- ]?reply|"
    r"out of (?:the )?office)",
    re.IGNORECASE,
)
_RETURNED_SUBJECT: Final = re.compile(
    r"退信|undeliver|delivery status notification|delivery fail|returned mail|failure notice",
    re.IGNORECASE,
)
_METHOD: Final = re.compile(r"^METHOD[:;]", re.IGNORECASE | re.MULTILINE)
_BEGIN: Final = re.compile(r"BEGIN:VCALENDAR[ \t]*\r?", re.IGNORECASE)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
# attMessageClass names what kind of reply it is, in ASCII (MS-OXTNEF 2.1.3.3): P yes, A perhaps,
# N no; newer programs write the class of MAPI.
_SEALED_ANSWERS: Final = {
    b"Schedule.MtgRespP": "ACCEPTED",
    b"Schedule.MtgRespA": "TENTATIVE",
    b"Schedule.MtgRespN": "DECLINED",
    b"Schedule.Meeting.Resp.Pos": "ACCEPTED",
    b"Schedule.Meeting.Resp.Tent": "TENTATIVE",
    b"Schedule.Meeting.Resp.Neg": "DECLINED",
}
_WINMAIL: Final = "winmail.dat"
_TNEF_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
# Each alternative takes what it has looked at, or looks no further than the next "<": a text of
# tags that never end is read once, not once for each of them.
_TAG: Final = re.compile(r"<(?:style|script)\b(?:.*?</(?:style|script)>|.*)|<[^<>]+>", re.S | re.I)
_QUOTED: Final = re.compile(
    r"^\s*(>|-{2,}\s*(original message|原始邮件|forwarded)|在.{4,120}写道\s*[:\uff1a]|"
    r"on .{4,120} wrote:|发件人\s*[:\uff1a]|from: .+@)",
    re.IGNORECASE,
)
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{3,300}>")
_LINES_OF_NOTE: Final = 12
_LONGEST_HEADER: Final = 16_000  # characters; no header that matters here comes near
_MOST_FILES: Final = 5
_LONGEST_NAME: Final = 60  # characters
_MOST_HEADERS: Final = 30  # of one name
_MOST_COMPARISONS: Final = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """An address that a mail server says it could not reach (RFC 3464 section 2.3).

    Attributes:
        address: lower case.
        status: enhanced code such as "5.1.1" (RFC 3463); "" for none.
        is_permanent: whether trying again is pointless.
        message_id: of the mail that came back, with its angle brackets; "" where it is not said.
        words: what the other server said.
    """

    address: str
    status: str
    is_permanent: bool
    message_id: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMail:
    """What is in a mail.

    Attributes:
        sender: address in From, lower case.
        recipients: every address it is or was sent to, lower case.
        replies_to: Message-IDs that it answers or gives back, with their angle brackets.
        note: the first lines of its own words, without what it quotes.
        calendars: iCalendar texts, each once.
        files: names of what else is attached; pictures within the text apart.
        is_automatic: written by a program (RFC 3834), calendars' replies apart.
        has_sealed_part: Outlook sealed its content in a part that only Outlook reads.
        sealed_answer: what that part says it answers, as a PARTSTAT; "" for nothing.
        returned: what came back.
        says_returned: says that a mail came back, but in no form that programs read.
    """

    sender: str
    subject: str
    recipients: tuple[str, ...]
    replies_to: tuple[str, ...]
    note: str
    calendars: tuple[str, ...]
    files: tuple[str, ...]
    is_automatic: bool
    has_sealed_part: bool
    sealed_answer: str
    returned: tuple[Returned, ...]
    says_returned: bool


def read_mail(raw: bytes) -> ReadMail:
    """Return what is in a mail (RFC 5322)."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    returned = tuple(_returned(mail))
    sealed = [octets for part in parts if (octets := _sealed(part))]
    senders = _addresses(mail, ("From", "Sender", "Reply-To"))
    is_automatic = _is_automatic(mail, is_report=bool(returned))
    says_returned = is_automatic and bool(_RETURNED_SUBJECT.search(_header(mail, "Subject")))
    originals = filter(None, map(_id_of_original, mail.walk())) if says_returned else ()
    return ReadMail(
        sender=senders[0] if senders else "",
        subject=_header(mail, "Subject")[:300],
        recipients=_addresses(mail, _RECIPIENT_HEADERS),
        replies_to=(*_MESSAGE_ID.findall(_header(mail, "In-Reply-To")), *originals),
        note=_note(list(_own_parts(mail))),
        calendars=tuple(dict.fromkeys(_calendars(parts))),
        files=tuple(islice(_files(_own_parts(mail)), _MOST_FILES)),
        is_automatic=is_automatic,
        has_sealed_part=bool(sealed),
        sealed_answer=next(filter(None, map(_sealed_answer, sealed)), ""),
        returned=returned,
        says_returned=says_returned and not returned,
    )


def is_tangled(raw: bytes) -> bool:
    """Whether reading the mail would take long: each line is held against each open boundary."""
    return raw.lower().count(b"boundary") * raw.count(b"\n") > _MOST_COMPARISONS


def text_of(part: Message[Any, Any]) -> str:
    """Return a part's text, whatever charset it says it is in.

    Chinese text in GB18030 is hardly ever valid UTF-8 by chance, so UTF-8 is tried first, then
    what the part says.
    """
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return str(part.get_payload())
    return _decoded_octets(content, part)


def _decoded_octets(content: bytes, part: Message[Any, Any]) -> str:
    for charset in ("utf-8", part.get_content_charset() or "gb18030", "gb18030"):
        try:
            return content.decode(charset).replace("\0", "")
        except (ValueError, LookupError):  # UnicodeError is one; a name with a NUL raises another
            continue
    return content.decode("latin-1").replace("\0", "")


def _own_parts(mail: Message[Any, Any]) -> Iterator[Message[Any, Any]]:
    """Yield the parts of a mail, without those of mails that it encloses."""
    if mail.get_content_maintype() == "message":
        return
    if not mail.is_multipart():
        yield mail
        return
    for part in mail.get_payload():
        if isinstance(part, Message):
            yield from _own_parts(part)


def _files(parts: Iterable[Message[Any, Any]]) -> Iterator[str]:
    for part in parts:
        name = _decoded(part.get_filename() or "").strip()
        if name and "Content-ID" not in part and not _is_calendar(part) and not _sealed(part):
            yield name[:_LONGEST_NAME]


def _is_calendar(part: Message[Any, Any]) -> bool:
    name = _decoded(part.get_filename() or "").lower()
    return part.get_content_type() in _CALENDAR_TYPES or name.endswith((".ics", ".vcs"))


def _calendars(parts: list[Message[Any, Any]]) -> Iterator[str]:
    for part in parts:
        if _is_calendar(part):
            content = part.get_payload(decode=True)
            # A fold may cut a character in two (RFC 5545 section 3.1).
            octets = _FOLD.sub(b"", content) if isinstance(content, bytes) else b""
            yield _with_method(_decoded_octets(octets, part), part)


def _with_method(text: str, part: Message[Any, Any]) -> str:
    """Return a calendar with the METHOD that its part names, where it names none itself.

    Both must be there and the same (RFC 6047 section 2.4); some programs write only the part's.
    """
    written = collapse_rfc2231_value(part.get_param("method", "") or "")
    method = str(written).strip().upper()
    if not method.isalpha() or _METHOD.search(text):
        return text
    return _BEGIN.sub(lambda found: f"{found[0]}\nMETHOD:{method}", text, count=1)


def _sealed(part: Message[Any, Any]) -> bytes:
    """Return the octets of a part in Outlook's own form, whatever it is called; b"" for another."""
    content = part.get_payload(decode=True)
    octets = content if isinstance(content, bytes) else b""
    is_named = part.get_content_type() in _TNEF or (part.get_filename() or "").lower() == _WINMAIL
    return (octets or b"?") if is_named or octets.startswith(_TNEF_SIGNATURE) else b""


def _sealed_answer(octets: bytes) -> str:
    return next((said for name, said in _SEALED_ANSWERS.items() if name in octets), "")


def _note(parts: list[Message[Any, Any]]) -> str:
    """Return the words of whoever wrote, from the plain text or else from the HTML."""
    texts = {part.get_content_type(): part for part in reversed(parts) if not part.get_filename()}
    if "text/plain" in texts:
        text = text_of(texts["text/plain"])
    elif "text/html" in texts:
        text = unescape(_TAG.sub("\n", text_of(texts["text/html"])))
    else:
        return ""
    lines: list[str] = []
    for line in text.splitlines():
        if _QUOTED.match(line):
            break
        if line.strip():
            lines.append(" ".join(line.split()))
    return "\n".join(lines[:_LINES_OF_NOTE])[:1000]


def _is_automatic(mail: Message[Any, Any], *, is_report: bool) -> bool:
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        is_report
        or submitted not in ("", "no")
        or _header(mail, "Precedence").strip().lower() in _ROBOTIC_PRECEDENCE
        or any(name in mail for name in _ROBOTIC_HEADERS)
        or _header(mail, "Return-Path").strip() == "<>"
        or bool(_ROBOTIC_SUBJECT.match(_header(mail, "Subject")))
        or any(one.partition("@")[0] in _ROBOTS for one in _addresses(mail, ("From",)))
    )


def _returned(mail: Message[Any, Any]) -> Iterator[Returned]:
    """Yield what a delivery status report says, one for each address (RFC 3464)."""
    if mail.get_content_type() != "multipart/report":
        return
    parts = list(mail.walk())
    message_id = next(filter(None, map(_id_of_original, parts)), "")
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        for group in groups if isinstance(groups, list) else ():
            if not isinstance(group, Message):
                continue
            address = _after_type(_header(group, "Final-Recipient"))
            status = _header(group, "Status").strip().split(" ")[0]
            if address:
                yield Returned(
                    address=address.lower(),
                    status=status[:20],
                    is_permanent=_header(group, "Action").strip().lower() == "failed"
                    and not status.startswith("4"),
                    message_id=message_id,
                    words=_after_type(_header(group, "Diagnostic-Code"))[:200],
                )


def _id_of_original(part: Message[Any, Any]) -> str:
    """Return the Message-ID of the mail that a report encloses whole or as headers."""
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        enclosed: Any = part.get_payload(0)
    elif part.get_content_type() == "text/rfc822-headers":
        enclosed = message_from_bytes(text_of(part).encode(), policy=policy.compat32)
    else:
        return ""
    return next(iter(_MESSAGE_ID.findall(_header(enclosed, "Message-ID"))), "")


def _after_type(value: str) -> str:
    """Return what follows the type in "rfc822; zhang@example.org"."""
    return value.partition(";")[2].strip().strip("<>") or value.strip()


def _header(mail: Message[Any, Any], name: str) -> str:
    """Return a header as text: encoded words decoded, several lines as one."""
    return next(iter(_headers(mail, name)), "")


def _headers(mail: Message[Any, Any], name: str) -> list[str]:
    wanted = name.lower()
    found = (str(value) for key, value in mail.raw_items() if key.lower() == wanted)
    return [_decoded(value[:_LONGEST_HEADER]) for value in islice(found, _MOST_HEADERS)]


def _decoded(value: str) -> str:
    """Return the text of a header: octets as they came (RFC 6532), or encoded words (RFC 2047)."""
    octets = value.encode("utf-8", "surrogateescape")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("gb18030", "replace")
    one_line = " ".join(text.split())
    carrier = EmailMessage(policy=policy.default)
    try:
        carrier["Subject"] = one_line
        one_line = str(carrier["Subject"])
    except (ValueError, LookupError, IndexError):
        pass  # an encoded word that is none: shown as it stands
    plain = one_line.encode("utf-8", "replace").decode()
    return "".join(sign if sign.isprintable() else " " for sign in plain)


def _addresses(mail: Message[Any, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    values = [value for name in names for value in _headers(mail, name)]
    found = (address.strip().lower() for _name, address in getaddresses(values))
    return tuple(dict.fromkeys(address[:320] for address in found if "@" in address))
