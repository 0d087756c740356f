"""What single cells and titles say."""

from __future__ import annotations

from typing import Any

import pytest

from coordination.workbooks.cell_words import number_of, split_names, target_in, year_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("天津滨海高新区管委会、沧州高新区管委会", ("天津滨海高新区管委会", "沧州高新区管委会")),
        ("联盟秘书处；天津滨海高新区", ("联盟秘书处", "天津滨海高新区")),
        ("甲;乙,丙，丁\n戊/己", ("甲", "乙", "丙", "丁", "戊", "己")),
        ("天津高新区（含海洋园、泰达园）", ("天津高新区（含海洋园、泰达园）",)),
        ("TC/260、AI/ML中心", ("TC/260", "AI/ML中心")),
        ("主办单位：甲；承办：乙", ("甲", "乙")),
        (" 甲 、、 甲 ", ("甲",)),
        ("", ()),
    ],
)
def test_split_names_of_hosts(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, "1"), (1.0, "1"), (1.5, "1.5"), ("１", "1"), ("01", "1"), ("三", "3"), ("十二", "12")]
    + [("（4）", "4"), ("③", "3"), ("5.", "5"), ("1.2", "1.2"), ("A-3", "A-3")]
    + [("填报单位：联盟秘书处", ""), ("一、产业协同", ""), (None, ""), ("注", "")],
)
def test_number_of_a_cell(value: Any, number: str) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("注：全年计划组织开展24场活动会议；时间待定。", 24),
        ("全年共二十四场", 24),
        ("计划举办活动232项", 232),
        ("2024年计划", None),
        ("A plan of 24 events", 24),
        ("注：各单位于2日内报送", None),
    ],
)
def test_target_in_words(text: str, target: int | None) -> None:
    assert target_in(text) == target


def test_year_in_words() -> None:
    texts = [
        "京津冀联盟2024年计划",
        "２０２４年度",
        "jjj-2024-plan",
        "二〇二四年",
        "计划",
        "20245",
        "12024年",
    ]

    assert [year_in(text) for text in texts] == [2024, 2024, 2024, 2024, None, None, None]
