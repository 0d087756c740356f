"""Several messages as one; words about stopping below each mail; and a retry of a digest."""

from datetime import datetime, timedelta

import pytest

from coordination.deliveries import sources
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.digesting import dressed, joined, tidied
from coordination.deliveries.fanout import enqueue
from coordination.deliveries.models import Delivery, Message
from coordination.deliveries.news import News
from coordination.deliveries.recipients import Reader
from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.stopping import read_link
from coordination.deliveries.transports.base import Blame, TransportError
from tests.coordination.deliveries.stage import Boxes, Notices, Post, cause, drain

READER = Reader("person:1", "a@example.org", name="王主任")
ENGLISH = Reader("person:1", "a@example.org", language="en")
ONE = Rendered("提醒一", "正文一", items=(Item("对接会", "明天", "https://x.test/1"),))
TWO = Rendered("提醒二", "正文二")


def test_joined_one_thing_stays_as_it_was_written() -> None:
    assert joined([ONE], READER) == ONE
    assert joined([TWO], READER) == TWO


def test_joined_several_lists_each_with_its_link_in_text_and_html() -> None:
    whole = joined([ONE, TWO], ENGLISH)

    assert whole.items == (*ONE.items, Item("提醒二", "正文二"))
    assert whole.subject == "2 things for you: 对接会; 提醒二"
    for form in (whole.text, whole.html):
        assert form.count("https://x.test/1") == 1
        assert "对接会" in form
        assert "正文二" in form


def test_joined_of_one_source_that_tells_several_lists_them_too() -> None:
    several = Rendered("两项", "x", items=(Item("甲"), Item("乙")))

    assert joined([several], ENGLISH).subject == "2 things for you: 甲; 乙"


def test_joined_says_the_same_thing_once() -> None:
    assert joined([ONE, ONE], ENGLISH) == ONE
    assert joined([ONE, TWO, ONE], ENGLISH).items == joined([ONE, TWO], ENGLISH).items


def test_joined_subject_holds_as_many_titles_as_fit() -> None:
    items = tuple(Item("很长的活动名称" * 4 + str(number)) for number in range(9))

    subject = joined([Rendered("x", "x", items=items)], ENGLISH).subject

    assert subject.startswith("9 things for you: ")
    assert subject.endswith("0…")


def test_joined_escapes_what_people_typed() -> None:
    item = Item("<b>会</b>", "a & b <script>", "https://x.test/?a=1&b=2")

    html = joined([Rendered("x", "x", items=(item, Item("乙")))], ENGLISH).html

    assert "<script>" not in html
    assert "&lt;b&gt;会&lt;/b&gt;" in html


@pytest.fixture
def _kinds() -> None:
    for kind, news in (("reminder", News.REMINDERS), ("request", News.INVITATIONS)):
        notices = Notices(kind)
        notices.news = news  # type: ignore[attr-defined]
        sources.register_source(notices)


@pytest.mark.usefixtures("_kinds")
def test_dressed_a_reminder_leads_to_where_it_stops() -> None:
    mail = dressed(Rendered("x", "正文", "<body><p>正文</p></body>"), ENGLISH, ["reminder"])

    token = mail.unsubscribe_url.rstrip("/").rpartition("/")[2]
    assert read_link(token) == ("person:1", [News.REMINDERS])
    assert mail.text.startswith("正文\n\n-- \n")
    assert mail.text.count(mail.unsubscribe_url) == mail.html.count(mail.unsubscribe_url) == 1
    assert mail.html.endswith("</body>")


@pytest.mark.usefixtures("_kinds")
def test_dressed_for_two_readers_gives_each_the_own_link() -> None:
    one, two = (
        dressed(ONE, Reader(f"person:{number}", "a@example.org"), ["reminder"]) for number in "12"
    )

    assert one.unsubscribe_url in one.text
    assert two.unsubscribe_url in two.text
    assert one.unsubscribe_url != two.unsubscribe_url
    assert one.text.replace(one.unsubscribe_url, "") == two.text.replace(two.unsubscribe_url, "")


@pytest.mark.usefixtures("_kinds")
def test_dressed_an_invitation_says_that_it_always_comes() -> None:
    mail = dressed(Rendered("x", "y", language="en"), ENGLISH, ["request"])

    assert mail.unsubscribe_url == ""
    assert "always come" in mail.text


@pytest.mark.usefixtures("_kinds")
def test_dressed_a_mixture_offers_a_link_for_what_may_stop_but_no_header() -> None:
    mail = dressed(Rendered("x", "y", language="en"), ENGLISH, ["reminder", "request"])

    assert mail.unsubscribe_url == ""
    assert "/news/stop/" in mail.text
    assert "always come" in mail.text


def test_tidied_chinese_has_no_blank_after_a_wide_sign() -> None:
    text = Rendered("提醒： 会", "时间： 9:30\n地点： 天津。 原因： 雨\n： ", "<p>时间： 9</p>")

    assert tidied(text) == Rendered(
        "提醒：会", "时间：9:30\n地点：天津。原因：雨\n： ", "<p>时间：9</p>"
    )
    english = Rendered("Time： 9", "x", language="en")
    assert tidied(english) == english


BUSY = TransportError("smtp_450", "450 busy")
CUT = TransportError("mail_cut", "cut", blame=Blame.CONNECTION)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "subject", "dropped"),
    [
        # Nobody has it: what is off meanwhile is left out.
        (BUSY, "通知 1、3", ["", "event_cancelled", ""]),
        # Somebody may have it: the same once more, to the byte.
        (CUT, "通知 1、2、3", ["", "", ""]),
    ],
)
def test_drain_a_digests_retry_tells_what_is_off_only_to_whoever_may_have_it(
    failure: TransportError,
    subject: str,
    dropped: list[str],
    source: Notices,
    boxes: Boxes,
    post: Post,
    at: datetime,
) -> None:
    for number in ("1", "2", "3"):
        enqueue(["box:1"], channel="post", cause=cause(number, digest="morning"))
    bundle_due(at)
    post.failures["box:1"] = failure
    drain(at)
    post.failures.clear()
    source.refusals["2"] = "event_cancelled"

    drain(at + timedelta(minutes=5))

    assert [letter.rendered.subject for letter in post.carried] == [subject]
    assert list(Delivery.objects.order_by("pk").values_list("dropped_reason", flat=True)) == dropped
    stored = Rendered.from_stored(Message.objects.get().rendered)
    assert stored.subject == subject


@pytest.mark.django_db
def test_drain_a_digest_of_two_sources_asks_each_about_its_own_lines(
    source: Notices, boxes: Boxes, post: Post, at: datetime
) -> None:
    other = Notices("letter")
    sources.register_source(other)
    enqueue(["box:1"], channel="post", cause=cause("1", digest="d"))
    enqueue(["box:1"], channel="post", cause=cause("2", digest="d", source="letter"))
    enqueue(["box:1"], channel="post", cause=cause("3", digest="d", source="letter"))
    bundle_due(at)
    other.refusals["3"] = "no_longer_concerned"

    drain(at)

    [letter] = post.carried
    assert Message.objects.get().source == "digest"
    assert [item.title for item in letter.rendered.items] == ["通知 1", "通知 2"]
