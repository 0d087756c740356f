"""Two editions, line by line."""

from datetime import date

from alliances.comparing import LineChangeKind, LineState, compare_lines


def line(uid: str, title: str = "论坛", **values: object) -> LineState:
    base = {"title_zh": title, "starts_on": date(2024, 5, 1), "position": 1}
    return LineState(uid, {**base, **values})


def kinds(before: list[LineState], after: list[LineState]) -> list[tuple[str, str]]:
    return [(change.uid, change.kind.value) for change in compare_lines(before, after)]


def test_compare_lines_tells_new_dropped_and_same() -> None:
    assert kinds([line("a"), line("b")], [line("b"), line("c")]) == [
        ("b", "same"),
        ("c", "new"),
        ("a", "dropped"),
    ]


def test_compare_lines_another_time_is_moved_whatever_else_differs() -> None:
    (change,) = compare_lines([line("a")], [line("a", "大会", starts_on=date(2024, 6, 1))])

    assert change.kind is LineChangeKind.MOVED
    assert change.fields == ("title_zh", "starts_on")


def test_compare_lines_other_words_are_changed() -> None:
    (change,) = compare_lines([line("a")], [line("a", "大会")])

    assert (change.kind, change.fields) == (LineChangeKind.CHANGED, ("title_zh",))


def test_compare_lines_another_position_alone_is_the_same() -> None:
    assert kinds([line("a")], [line("a", position=7)]) == [("a", "same")]
