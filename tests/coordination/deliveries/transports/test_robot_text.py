"""What a chat is shown: whole characters, whole links, and never more octets than it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.deliveries.sources import Item, Rendered
from coordination.deliveries.transports.robot_text import fit, items_of, plain, shorten

LINK = "https://rili.example.org/events/0b6f2d3e-2a53-4c0b-9d0c-6f0b1a6f2c51/"


def octets(text: str) -> int:
    return len(text.encode())


def layout(heading: str, items: list[Item] | tuple[Item, ...]) -> str:
    lines = [heading] if heading else []
    for item in items:
        lines += [f"[{item.title}]({item.url})", *([item.text] if item.text else [])]
    return "\n".join(lines)


def fitted(rendered: Rendered, most: int) -> str:
    return fit(rendered, layout=layout, weigh=octets, most=most)


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("京津冀", 3, "京津冀"),
        ("京津冀国家高新区联盟", 6, "京津冀国家…"),
        ("a" * 20, 5, "aaaa…"),
        ("cafe\u0301s", 5, "caf…"),  # an accent is not left behind
        ("好👩\u200d💻吗", 4, "好…"),  # nor half of a sign made of two
        ("后天 09:30", 4, "后天…"),
    ],
)
def test_shorten_ends_at_a_character(text: str, most: int, shown: str) -> None:
    assert shorten(text, most) == shown


def test_plain_leaves_nothing_that_a_robot_reads_as_a_name_or_a_link() -> None:
    assert plain("<@all> [议程](http://x) **粗** <at id=all></at>") == (
        "＜@all＞ ［议程］(http://x) ＊＊粗＊＊ ＜at id=all＞＜/at＞"
    )


def test_items_of_a_message_without_any_are_made_of_its_text() -> None:
    rendered = Rendered(subject="通知", text=f"见附件。\n\n详情：{LINK}\n谢谢。")

    assert items_of(rendered) == (Item("通知", f"见附件。 详情：{LINK} 谢谢。", LINK),)


def test_fit_that_fits_shows_everything_under_one_heading() -> None:
    rendered = Rendered(
        "两项提醒", "", items=(Item("对接会", "5月16日", LINK), Item("论坛", "5月23日", LINK))
    )

    assert fitted(rendered, 4096) == (
        f"两项提醒\n[对接会]({LINK})\n5月16日\n[论坛]({LINK})\n5月23日"
    )


def test_fit_of_one_thing_repeats_no_heading() -> None:
    rendered = Rendered("对接会", "", items=(Item("对接会", "5月16日", LINK),))

    assert fitted(rendered, 4096) == f"[对接会]({LINK})\n5月16日"


def test_fit_of_what_is_too_long_shortens_texts_before_titles_and_keeps_the_link() -> None:
    rendered = Rendered("提醒", "", items=(Item("项目对接会", "时" * 3000, LINK),))

    text = fitted(rendered, 1000)

    assert 990 < octets(text) <= 1000
    assert f"[项目对接会]({LINK})" in text
    assert text.endswith("时…")


def test_fit_of_very_many_says_how_many_are_left() -> None:
    items = tuple(Item(f"第{number}项活动" + "长" * 40, "明天", LINK) for number in range(60))

    text = fitted(Rendered("六十项提醒", "", items=items), 4096)

    shown = text.count(LINK)
    assert octets(text) <= 4096
    assert 20 < shown < 60
    assert text.endswith(f"\n… +{60 - shown}")


@given(
    st.lists(
        st.builds(Item, st.text(max_size=80), st.text(max_size=200), st.just(LINK)),
        min_size=1,
        max_size=15,
    ),
    st.text(max_size=90),
    st.integers(400, 5000),
)
def test_fit_never_weighs_more_than_the_limit(items: list[Item], subject: str, most: int) -> None:
    rendered = Rendered(subject.replace("\ud800", ""), "", items=tuple(items))

    text = fitted(rendered, most)

    assert octets(text) <= most
    assert text.count(f"]({LINK})") == text.count(LINK)
