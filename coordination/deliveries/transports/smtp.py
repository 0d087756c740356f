"""One mail over a kept connection, in as few turns as the server allows.

A turn is what time goes into when the server is far away. smtplib takes four for a mail: sender,
recipient, DATA, content. A server that announces PIPELINING takes the first three at once (RFC
2920). How a refusal is told is smtplib's way either way, so nobody need know which it was.
"""

from __future__ import annotations

import contextlib
import smtplib

Answer = tuple[int, bytes]
ENDS = 421  # RFC 5321 section 3.8: the server says it will hang up
GO_ON = 354


def hand_over(smtp: smtplib.SMTP, *, sender: str, recipient: str, content: bytes) -> None:
    """Hand one mail to the server, for one recipient; returns once the server has taken it.

    Args:
        smtp: connected.
        sender: address in ASCII, without a name.
        recipient: likewise.
        content: the mail; lines end in CRLF.

    Raises:
        SMTPSenderRefused, SMTPRecipientsRefused, SMTPDataError: the server said no.
        SMTPServerDisconnected, OSError: the connection broke; nobody knows how far it got.
        ValueError: an address that no command can hold.
    """
    smtp.ehlo_or_helo_if_needed()
    options = []
    if not content.isascii() and smtp.has_extn("8bitmime"):
        options.append("body=8bitmime")  # RFC 6152 section 2
    if not smtp.has_extn("pipelining"):
        smtp.sendmail(sender, [recipient], content, mail_options=options)
        return
    if smtp.has_extn("size"):
        options.insert(0, f"size={len(content)}")  # RFC 1870 section 5
    _agree(smtp, sender, recipient, " ".join(["", *options]))
    smtp.send(_dotted(content))
    code, words = smtp.getreply()
    if code != 250:
        _leave(smtp, code)
        raise smtplib.SMTPDataError(code, words)


def _agree(smtp: smtplib.SMTP, sender: str, recipient: str, options: str) -> None:
    """Name sender and recipient and ask to begin, in one turn; every answer is looked at."""
    commands = (
        f"mail FROM:{smtplib.quoteaddr(sender)}{options}",
        f"rcpt TO:{smtplib.quoteaddr(recipient)}",
        "data",
    )
    if any("\r" in command or "\n" in command for command in commands):
        raise ValueError("an address may not hold a line break")
    smtp.send("".join(f"{command}\r\n" for command in commands).encode("ascii"))
    answers: list[Answer] = []
    refusal: smtplib.SMTPException | None = None
    while len(answers) < len(commands) and not _is_the_end(answers):
        try:
            answers.append(smtp.getreply())
        except smtplib.SMTPException:
            if refusal is None:
                raise
            raise refusal from None  # it had said no before it hung up
        refusal = refusal or _refusal_in(answers, sender, recipient)
    if refusal is not None:
        _leave(smtp, answers[-1][0])
        raise refusal


def _is_the_end(answers: list[Answer]) -> bool:
    """Whether no further answer follows: the server hangs up, or talks something else."""
    return bool(answers) and (answers[-1][0] == ENDS or answers[-1][0] < 200)


def _refusal_in(answers: list[Answer], sender: str, recipient: str) -> smtplib.SMTPException | None:
    """Return what the latest answer comes to, as smtplib would say it; None for yes."""
    code, words = answers[-1]
    if len(answers) == 1:
        return None if code == 250 else smtplib.SMTPSenderRefused(code, words, sender)
    if len(answers) == 2:
        is_taken = code in (250, 251)
        return None if is_taken else smtplib.SMTPRecipientsRefused({recipient: (code, words)})
    return None if code == GO_ON else smtplib.SMTPDataError(code, words)


def _leave(smtp: smtplib.SMTP, code: int) -> None:
    """Leave a mail that the server did not take, so that the next can begin."""
    if code == ENDS or code < 200:
        smtp.close()
        return
    with contextlib.suppress(smtplib.SMTPException, OSError):
        if code == GO_ON:
            # It waits for content though it takes nobody: an empty one ends that (section 3.1).
            smtp.send(b".\r\n")
            smtp.getreply()
        smtp.rset()


def _dotted(content: bytes) -> bytes:
    """Return content as it goes over the wire (RFC 5321 section 4.5.2)."""
    dots = content.replace(b"\r\n.", b"\r\n..")
    first = b"." if dots.startswith(b".") else b""
    last = b"" if dots.endswith(b"\r\n") else b"\r\n"
    return b"".join((first, dots, last, b".\r\n"))
