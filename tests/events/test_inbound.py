"""Mail that comes in counts where its sender is proved, and is shown where it is not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail

from alliances.seating import end_seat, seat_person
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.changes.refusals import NotAllowed, TransitionNotAllowed
from coordination.deliveries.models import Attempt, Endpoint, Message
from events import inbound
from events.answer_links import reply_address
from events.inbound import forget_old, read_waiting, receive, settle_message
from events.inviting import answer_invitation, invite_organizations, withdraw_invitation
from events.mail_reading import read_mail
from events.models import Answer, AnswerNames, InboundMessage, Invitation, Invitee
from events.scheduling import cancel_event
from tests.events.reply_samples import sample
from tests.events.replying import ADDRESS, LATER, answers, come_in, reply, send
from tests.factories import AT, Cast, make_event, make_member, make_organization, stored

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "state", "comment"),
    [
        ("outlook-accepted", "accepted", "我们来两个人"),
        ("google-declined", "declined", "away"),
        ("apple-tentative", "tentative", ""),
        ("qq-accepted", "accepted", "我们参加"),
        ("outlook-counter", "other_date", "That day is our council."),
        ("delegated", "delegated", ""),
    ],
)
def test_reply_of_a_calendar_counts_as_the_answer(
    invitee: Invitee, name: str, state: str, comment: str
) -> None:
    row = come_in(reply(name, invitee))

    assert (row.state, row.error) == ("answered", "")
    assert answers() == [(state, "mail", comment)]
    answer = Answer.objects.get()
    assert (answer.person, row.answer) == (invitee.person, answer)
    assert Invitation.objects.get().state == state


def test_counter_proposal_says_the_time_on_the_events_clocks(invitee: Invitee) -> None:
    come_in(reply("outlook-counter", invitee))

    assert Answer.objects.get().proposed_time == "2028-05-18 14:00–16:30 (Asia/Shanghai)"


def test_delegation_names_who_comes(invitee: Invitee) -> None:
    come_in(reply("delegated", invitee))

    assert Answer.objects.get().who_comes.names == "Li Si <li@example.org>"


def test_delegate_who_declines_is_shown_to_the_secretariat(invitee: Invitee) -> None:
    come_in(reply("delegated", invitee))
    raw = reply("delegated", invitee, stamp="20280110T020700Z")

    row = come_in(raw.replace(b"PARTSTAT=NEEDS-ACTION", b"PARTSTAT=DECLINED"))

    assert (row.state, row.said, row.attendee) == ("unverified", "declined", "li@example.org")
    assert row.invitation == invitee.invitation
    assert Invitation.objects.get().state == "delegated"


def test_the_same_mail_twice_is_kept_and_counted_once(invitee: Invitee) -> None:
    raw = reply("outlook-accepted", invitee)

    first = come_in(raw)
    second, is_new = receive(raw, way="post", at=LATER)
    read_waiting(at=LATER)

    assert (second.pk, is_new) == (first.pk, False)
    assert len(answers()) == 1


def test_the_same_reply_in_another_mail_says_nothing_new(invitee: Invitee) -> None:
    come_in(reply("outlook-accepted", invitee))
    row = come_in(reply("outlook-accepted", invitee).replace(b"HK0PR01MB1234@", b"again@"))

    assert row.state == "repeated"
    assert len(answers()) == 1


def test_reply_without_the_secret_is_shown_and_counts_once_the_secretariat_says_so(
    cast: Cast, invitee: Invitee
) -> None:
    row = come_in(reply("outlook-accepted", invitee, reply_to="secretariat@example.org"))
    before = (row.state, row.invitation, answers())

    settle_message(row, counts=True, viewer=cast.secretary, at=LATER)

    assert before == ("unverified", invitee.invitation, [])
    assert answers() == [("accepted", "page", "我们来两个人")]
    assert stored(row).state == "answered"
    with pytest.raises(TransitionNotAllowed):
        settle_message(row, counts=False, viewer=cast.secretary, at=LATER)


def test_secret_in_a_forwarded_invitation_does_not_speak_for_the_person_asked(
    invitee: Invitee,
) -> None:
    row = come_in(reply("outlook-accepted", invitee, attendee="colleague@example.org"))

    assert (row.state, row.person, row.attendee) == (
        "unverified",
        invitee.person,
        "colleague@example.org",
    )
    assert answers() == []


def test_reply_to_an_invitation_taken_back_answers_the_one_that_stands_for_the_same_event(
    cast: Cast, invitee: Invitee
) -> None:
    other = make_organization("石家庄市")
    make_member(cast.alliance, other)
    seat_person(
        invitee.person,
        role="liaison",
        organization=other,
        starts_on=AT.date(),
        viewer=SYSTEM,
        at=AT,
    )
    event = stored(invitee.invitation.event)
    [second] = invite_organizations(event, [other], viewer=cast.secretary, at=AT)
    send()
    theirs = second.invitees.select_related("invitation__event").get()
    withdraw_invitation(stored(second), viewer=cast.secretary, at=LATER)

    row = come_in(reply("outlook-accepted", theirs))

    assert (row.state, row.invitation) == ("answered", invitee.invitation)
    assert (stored(invitee.invitation).state, stored(second).state) == ("accepted", "needs_action")


def test_secret_of_one_invitation_does_not_answer_another(cast: Cast, invitee: Invitee) -> None:
    other = make_event(cast.alliance, scheduled=True)
    row = come_in(reply("outlook-accepted", invitee, uid=other.ical_uid))

    assert row.state == "unmatched"
    assert answers() == []


def test_reply_about_something_unknown_to_an_address_of_ours_is_shown_to_the_secretariat(
    cast: Cast, invitee: Invitee
) -> None:
    row = come_in(
        reply("google-declined", invitee, uid=stored(invitee.invitation.event).ical_uid.upper())
    )

    assert (row.state, row.invitation, row.person) == (
        "unverified",
        invitee.invitation,
        invitee.person,
    )
    assert answers() == []
    assert list(InboundMessage.objects.visible_to(cast.secretary)) == [row]


@pytest.mark.parametrize(
    "head",
    [
        'application/octet-stream; name="=?utf-8?b?5Zue5aSNLmljcw==?="',  # 回复.ics
        "application/octet-stream; name*=utf-8''%E5%9B%9E%E5%A4%8D.ics",
    ],
)
def test_calendar_under_the_name_of_a_file_is_found_however_that_is_written(head: str) -> None:
    mail = f"From: a@example.org\r\nContent-Type: {head}\r\n\r\nBEGIN:VCALENDAR\r\n"
    assert read_mail(mail.encode()).calendars == ("BEGIN:VCALENDAR\r\n",)


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_calendar_whose_lines_are_cut_within_a_character_is_read(charset: str) -> None:
    line = "COMMENT:我们两人参加".encode(charset)
    cut = line[:9] + b"\r\n " + line[9:]
    mail = f"Content-Type: text/calendar; charset={charset}\r\n\r\n".encode() + cut

    assert read_mail(mail).calendars == ("COMMENT:我们两人参加",)


def test_method_of_a_part_is_read_however_it_is_written() -> None:
    mail = "Content-Type: text/calendar; method*=utf-8''reply\r\n\r\nBEGIN:VCALENDAR\r\n"
    assert "METHOD:REPLY" in read_mail(mail.encode()).calendars[0]


def test_reply_whose_words_have_line_breaks_of_outlook_counts(invitee: Invitee) -> None:
    raw = reply("google-declined", invitee).replace(b'"away"', b'"away\x0bsorry"')

    assert (come_in(raw).state, answers()) == ("answered", [("declined", "mail", "away sorry")])


def test_addresses_are_compared_in_any_case(invitee: Invitee) -> None:
    raw = reply("qq-accepted", invitee, attendee="LiaiSon@Example.ORG")

    assert come_in(raw).state == "answered"


def test_reply_beside_one_to_another_event_is_found(invitee: Invitee) -> None:
    raw = reply("apple-tentative", invitee)
    other = reply("apple-tentative", invitee, uid="somebody-elses@example.com")
    start, end = b"BEGIN:VEVENT", b"END:VEVENT\r\n"
    inner = other[other.index(start) : other.index(end) + len(end)]

    row = come_in(raw.replace(start, inner + start, 1))

    assert (row.state, answers()) == ("answered", [("tentative", "mail", "")])


def test_reply_that_names_its_method_only_on_the_part_counts(invitee: Invitee) -> None:
    raw = reply("apple-tentative", invitee)

    row = come_in(raw.replace(b"METHOD:REPLY\r\n", b""))

    assert (row.state, answers()) == ("answered", [("tentative", "mail", "")])


def test_answer_of_a_program_that_cannot_be_read_waits_for_people(invitee: Invitee) -> None:
    row = come_in(b"Auto-Submitted: auto-generated\r\n" + reply("broken-calendar", invitee))

    assert (row.state, row.error.partition(":")[0]) == ("letter", "calendar")
    assert row.why


@pytest.mark.parametrize(
    "attendee", [b"ATTENDEE;CN=a;b;PARTSTAT=TENTATIVE:x", b"ATTENDEE;PARTSTAT=X-LATER:x", b""]
)
def test_answer_of_a_program_in_which_none_can_be_read_waits_for_people(
    invitee: Invitee, attendee: bytes
) -> None:
    raw = reply("apple-tentative", invitee)
    start, end = raw.index(b"ATTENDEE"), raw.index(b"ORGANIZER")
    raw = raw[:start] + attendee.replace(b"=", b"=3D") + b"\r\n" + raw[end:]

    row = come_in(b"Auto-Submitted: auto-generated\r\n" + raw)

    assert (row.state, row.error, row.invitation) == ("letter", "calendar", invitee.invitation)
    assert row.why


def without_method(raw: bytes) -> bytes:
    return raw.replace(b"METHOD:REPLY\r\n", b"").replace(b" method=REPLY;", b"")


@pytest.mark.parametrize("to", ["", "secretariat@example.org"])
def test_calendar_without_a_method_is_for_people_to_count(
    invitee: Invitee, cast: Cast, to: str
) -> None:
    own = {"reply_to": to} if to else {}
    raw = b"Auto-Submitted: auto-generated\r\n" + reply("apple-tentative", invitee, **own)

    row = come_in(without_method(raw))
    seen = (row.state, row.error, row.said, row.invitation, row.sequence)
    before = answers()
    settle_message(row, counts=True, viewer=cast.secretary, at=LATER)

    assert seen == ("letter", "no_method", "tentative", invitee.invitation, 1)
    assert row.note.startswith("zhang has tentatively accepted")
    assert row.why
    assert (before, answers()) == ([], [("tentative", "page", row.note)])


def test_calendar_without_a_method_about_something_else_says_nothing(invitee: Invitee) -> None:
    row = come_in(without_method(reply("apple-tentative", invitee, uid="another")))

    assert (row.state, row.error, row.said) == ("letter", "calendar", "")


def test_calendar_without_a_method_that_delegates_to_nobody_says_nothing(invitee: Invitee) -> None:
    raw = without_method(reply("apple-tentative", invitee))

    row = come_in(raw.replace(b"TENTATIVE;ROLE", b"DELEGATED;ROLE"))

    assert (row.state, row.error, row.said) == ("letter", "no_method", "")


def test_reply_counts_where_only_the_organizer_line_kept_the_secret(invitee: Invitee) -> None:
    raw = reply("google-declined", invitee)
    head, _blank, body = raw.partition(b"\r\n\r\n")
    head = head.replace(reply_address(invitee).encode(), b"list@example.org")

    assert come_in(head + b"\r\n\r\n" + body).state == "answered"


def _ends_seat(invitee: Invitee) -> None:
    end_seat(invitee.person.seats.get(), on=AT.date(), viewer=SYSTEM, at=AT)


def _cancels(invitee: Invitee) -> None:
    cancel_event(stored(invitee.invitation.event), reason="预算", viewer=SYSTEM, at=AT)


@pytest.mark.parametrize(("ends", "why"), [(_ends_seat, "not_allowed"), (_cancels, "event_over")])
def test_reply_when_nothing_is_asked_any_more_is_late(
    invitee: Invitee, ends: Callable[[Invitee], None], why: str
) -> None:
    raw = reply("outlook-accepted", invitee)
    ends(invitee)
    row = come_in(raw.replace(b"SEQUENCE", b"X-SEQUENCE"))

    assert (row.state, row.error) == ("late", why)
    assert answers() == []


@pytest.mark.parametrize(
    ("name", "state", "error", "note"),
    [
        ("letter", "letter", "", "我们两个人参加，请安排接站。"),
        ("outlook-winmail", "letter", "sealed_part", ""),
        ("broken-calendar", "letter", "calendar", ""),
        ("out-of-office", "automatic", "", "I am away until Monday."),
    ],
)
def test_mail_without_an_answer_is_told_apart_and_kept_with_its_invitation(
    invitee: Invitee, name: str, state: str, error: str, note: str
) -> None:
    row = come_in(reply(name, invitee))

    assert (row.state, row.error.partition(":")[0], row.note) == (state, error, note)
    assert row.invitation == invitee.invitation
    assert answers() == []
    send()
    assert mail.outbox == []


def test_letter_with_files_names_them_and_says_where_they_are(invitee: Invitee) -> None:
    head, _blank, body = reply("letter", invitee).partition(b"\r\n\r\n")
    plain, _kind, encoding = head.partition(b"Content-Type")
    parts = (
        b"Content-Type" + encoding + b"\r\n\r\n" + body,
        b'Content-Type: application/msword; name="=?gbk?B?u9jWtC5kb2M=?="\r\n\r\nx',
        b"Content-Type: image/jpeg\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''%E7%9B%96%E7%AB%A0.jpg\r\n\r\nx",
        b'Content-Type: image/png; name="logo.png"\r\nContent-ID: <logo>\r\n\r\nx',
    )
    whole = b"\r\n--b\r\n" + b"\r\n--b\r\n".join(parts) + b"\r\n--b--\r\n"
    row = come_in(plain + b"Content-Type: multipart/mixed; boundary=b\r\n" + whole)

    assert (row.state, row.error) == ("letter", "files")
    assert row.note == "我们两个人参加，请安排接站。\n[回执.doc] [盖章.jpg]"
    assert row.why


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"IPM.Microsoft Schedule.MtgRespP", "accepted"),
        (b"IPM.Microsoft Schedule.MtgRespN", "declined"),
        (b"IPM.Microsoft Schedule.MtgRespA", "tentative"),
        (b"IPM.Schedule.Meeting.Resp.Neg", "declined"),
        (b"IPM.Note", ""),
    ],
)
@pytest.mark.parametrize(
    "kind",
    ["application/ms-tnef", 'application/octet-stream; name="WINMAIL.DAT"', "application/x-other"],
)
@pytest.mark.parametrize("robotic", [b"", b"Auto-Submitted: auto-replied\r\n"])
def test_answer_that_outlook_sealed_waits_for_people_who_count_it(
    invitee: Invitee, name: bytes, said: str, kind: str, robotic: bytes
) -> None:
    sealed = base64.b64encode(b"\x78\x9f\x3e\x22\x01\x00" + name + b"\x00")
    raw = reply("outlook-winmail", invitee).replace(
        b"eJ8+IgAAAQaQCAAEAAAAAAABAAEAAQeQBgAIAAAA5AQAAAAAAADoAAEIgAcA", sealed
    )
    raw = raw.replace(b'application/ms-tnef; name="winmail.dat"', kind.encode())
    row = come_in(robotic + raw)

    if robotic and not said:
        assert (row.state, row.said) == ("automatic", "")
        return
    assert (row.state, row.error, row.said) == ("letter", "sealed_part", said)
    assert row.invitation == invitee.invitation
    assert answers() == []
    if said:
        settle_message(row, counts=True, viewer=SYSTEM, at=AT)
        assert [answer.state for answer in Answer.objects.all()] == [said]


def test_letter_that_answers_a_mail_of_ours_is_found_by_its_thread(invitee: Invitee) -> None:
    uid = Message.objects.get(channel="email").uid
    raw = reply("letter", invitee, reply_to="secretariat@example.org")
    row = come_in(f"In-Reply-To: <{uid}@127.0.0.1>\r\n".encode() + raw)

    assert (row.state, row.invitation, row.person) == (
        "letter",
        invitee.invitation,
        invitee.person,
    )


def bounce(**values: object) -> bytes:
    message = Message.objects.get(channel="email")
    known: dict[str, object] = {
        "attendee": ADDRESS,
        "action": "failed",
        "status": "5.1.1",
        "message_id": f"<{message.uid}@127.0.0.1>",
    }
    return sample("bounce", **known | values)


def test_bounce_marks_the_address_and_the_ledger_and_writes_to_nobody(invitee: Invitee) -> None:
    row = come_in(bounce())

    user = User.objects.get(username="liaison")
    assert (row.state, user.can_get_mail) == ("bounce", False)
    assert Endpoint.objects.get().bounced_at is not None
    last = Attempt.objects.order_by("-pk")[0]
    assert (last.outcome, last.code) == ("dead", "bounced")
    send()
    assert mail.outbox == []


@pytest.mark.parametrize(
    "values",
    [
        {"message_id": "<0b0b0b0b-0000-4000-8000-000000000000@127.0.0.1>"},
        {"attendee": "host@example.org"},
        {"action": "delayed", "status": "4.4.1"},
    ],
)
def test_bounce_that_is_not_of_our_mail_to_that_address_marks_nobody(
    invitee: Invitee, values: dict[str, object]
) -> None:
    row = come_in(bounce(**values))

    assert row.state == "bounce"
    assert not User.objects.exclude(bounced_email="").exists()
    assert not Attempt.objects.filter(code="bounced").exists()


@pytest.mark.parametrize(
    "subject", ["系统退信/The email is returned", "来自qq.com的退信", "failure notice"]
)
def test_bounce_in_a_form_of_its_own_is_shown_with_the_invitation_that_it_encloses(
    invitee: Invitee, subject: str
) -> None:
    uid = Message.objects.get(channel="email").uid
    head = (
        "Return-Path: <>\r\nFrom: PostMaster@qq.com\r\nTo: coordination@localhost\r\n"
        f"Subject: {subject}\r\nMIME-Version: 1.0\r\n"
    )
    words = "Content-Type: text/html; charset=undefined\r\n\r\n<p>收件人邮箱不存在</p>\r\n"
    original = f"Content-Type: message/rfc822\r\n\r\nMessage-ID: <{uid}@127.0.0.1>\r\n\r\nx\r\n"
    mixed = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

    enclosed = come_in(f"{head}{mixed}--b\r\n{words}--b\r\n{original}--b--\r\n".encode())
    alone = come_in(f"{head}{words}".encode())

    assert (enclosed.state, enclosed.invitation, enclosed.note) == (
        "letter",
        invitee.invitation,
        "收件人邮箱不存在",
    )
    assert (alone.state, alone.invitation) == ("unmatched", None)
    assert not User.objects.exclude(bounced_email="").exists()


def test_bounce_twice_is_noted_once(invitee: Invitee) -> None:
    come_in(bounce())
    come_in(bounce().replace(b"dsn1@", b"dsn2@"))

    assert Attempt.objects.filter(code="bounced").count() == 1


def test_poison_is_set_aside_after_three_tries_and_the_others_are_read(
    invitee: Invitee, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inbound.read_mail

    def reads(raw: bytes) -> object:
        if b"poison" in raw:
            raise RecursionError("parts in parts in parts")
        return real(raw)

    monkeypatch.setattr(inbound, "read_mail", reads)
    poison, _new = receive(b"Subject: poison\r\n\r\n", way="mailbox", at=LATER)
    good, _new = receive(reply("outlook-accepted", invitee), way="mailbox", at=LATER)

    states = []
    for _n in range(4):
        read_waiting(at=LATER + timedelta(minutes=5))
        states.append(stored(poison).state)

    assert states == ["waiting", "waiting", "set_aside", "set_aside"]
    assert stored(good).state == "answered"
    assert stored(poison).error == "RecursionError: parts in parts in parts"


def test_mail_that_is_too_large_is_set_aside_without_its_bytes(db: None) -> None:
    row, _new = receive(b"x" * (inbound.LARGEST + 1), way="post", at=LATER)

    assert (row.state, row.raw, row.error, row.is_open) == ("set_aside", None, "too_large", True)
    assert row.why


@pytest.mark.parametrize("tail", [b"x" * inbound.LARGEST, b'boundary="b"\r\n' * 3000])
def test_mail_that_is_not_taken_in_is_shown_with_its_invitation(
    cast: Cast, invitee: Invitee, tail: bytes
) -> None:
    raw = reply("letter", invitee).replace(b"Message-ID", b"X-Note: a\nMessage-ID")
    row = come_in(raw + tail)

    assert (row.state, row.raw, row.sender, row.subject) == (
        "set_aside",
        None,
        ADDRESS,
        "Re: Invitation: Matchmaking",
    )
    assert (row.invitation, row.person) == (invitee.invitation, invitee.person)
    assert list(InboundMessage.objects.visible_to(cast.secretary)) == [row]


def test_mail_of_nobody_is_shown_to_superusers_alone(cast: Cast) -> None:
    row = come_in(b"From: x@example.org\r\nSubject: hello\r\n\r\nhello\r\n")

    seen = {
        name: InboundMessage.objects.visible_to(viewer).filter(pk=row.pk).exists()
        for name, viewer in cast.viewers().items()
    }
    assert row.state == "unmatched"
    assert {name for name, is_seen in seen.items() if is_seen} == {"superuser"}
    with pytest.raises(NotAllowed):
        settle_message(row, counts=False, viewer=cast.secretary, at=LATER)
    assert settle_message(row, counts=False, viewer=cast.superuser, at=LATER).state == "settled"


def test_mail_of_an_invitation_is_its_secretariats(cast: Cast, invitee: Invitee) -> None:
    row = come_in(reply("letter", invitee))

    seen = {
        name: InboundMessage.objects.visible_to(viewer).filter(pk=row.pk).exists()
        for name, viewer in cast.viewers().items()
    }
    assert {name for name, is_seen in seen.items() if is_seen} == {"superuser", "secretary"}
    for name in ("other_secretary", "member_liaison", "public"):
        with pytest.raises(NotAllowed):
            settle_message(row, counts=False, viewer=cast.viewers()[name], at=LATER)
    with pytest.raises(TransitionNotAllowed):
        settle_message(row, counts=True, viewer=cast.secretary, at=LATER)


def test_forget_old_empties_what_names_anybody_after_ninety_days(invitee: Invitee) -> None:
    row = come_in(reply("letter", invitee))

    early = forget_old(at=LATER + timedelta(days=89))
    late = forget_old(at=LATER + timedelta(days=91))
    again = forget_old(at=LATER + timedelta(days=91))

    row.refresh_from_db()
    assert (early, late, again) == (0, 1, 0)
    assert (row.raw, row.sender, row.subject, row.note) == (None, "", "", "")
    assert row.state == "letter"


def test_answer_by_page_after_a_reply_wins(cast: Cast, invitee: Invitee) -> None:
    come_in(reply("outlook-accepted", invitee))
    answer_invitation(
        Invitation.objects.get(), state="declined", viewer=cast.member_liaison, at=LATER
    )

    assert Invitation.objects.get().state == "declined"
    assert [way for _state, way, _words in answers()] == ["mail", "page"]


def test_forget_old_forgets_who_came_after_four_hundred_days(invitee: Invitee) -> None:
    come_in(reply("delegated", invitee))
    ends_at = invitee.invitation.event.ends_at
    assert ends_at is not None

    forget_old(at=ends_at + timedelta(days=400))
    kept = AnswerNames.objects.count()
    forget_old(at=ends_at + timedelta(days=400, seconds=1))

    assert (kept, AnswerNames.objects.count()) == (1, 0)
    assert Answer.objects.get().state == "delegated"
