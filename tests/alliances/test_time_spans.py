"""Windows as lines keep them."""

from __future__ import annotations

from alliances.windows import (
    UNKNOWN,
    Window,
    read_window,
)


def test_store_window_and_read_it_back_gives_the_same() -> None:
    window = read_window("5月14日9:30-11:30", year=2024).windows[0]

    assert window.as_json() == {
        "start": "2024-05-14",
        "end": "2024-05-14",
        "precision": "day",
        "start_time": "09:30",
        "end_time": "11:30",
    }
    assert [Window.from_json(each.as_json()) for each in (window, UNKNOWN)] == [window, UNKNOWN]
