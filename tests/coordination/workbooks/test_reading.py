"""Files of every kind: what is read, and what is refused before a parser sees it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from coordination.workbooks.containers import PART_LIMIT, UNPACKED_LIMIT
from coordination.workbooks.problems import UnreadableWorkbook, column_letters
from coordination.workbooks.reading import READ_LIMIT, Row, read_sheets, text_of
from tests.coordination.workbooks.sheets import EXAMPLE, line, saved, xlsx_of


def refused(data: bytes, name: str = "plan.xlsx") -> str:
    with pytest.raises(UnreadableWorkbook) as caught:
        read_sheets(data, name)
    return caught.value.problem.code


def repacked(change: Callable[[str, bytes], bytes | None], **extra: bytes) -> bytes:
    """Return the example with members changed, left out (None) or added."""
    stream = BytesIO()
    with (
        zipfile.ZipFile(EXAMPLE) as old,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in extra.items():
            new.writestr(name, content)
    return stream.getvalue()


def test_read_example_gives_its_rows(example: bytes) -> None:
    (sheet,) = read_sheets(example, "plan.xlsx")

    assert sheet.name == "2024年计划"
    assert [row.number for row in sheet.rows] == [*range(1, 25), 26]
    assert sheet.rows[11].values[6] == datetime(2024, 9, 12)
    assert sheet.rows[4].values[1] == "搭建常态化沟通交流平台"
    assert sheet.rows[4].carried == {1}
    assert sheet.merges == {1}


def test_read_merged_over_several_columns_keeps_them_apart() -> None:
    data = xlsx_of([line(), [None] * 9], merged=("A1:I1", "B3:C4"))

    (sheet,) = read_sheets(data, "plan.xlsx")

    assert len(sheet.rows) == 3
    assert sheet.rows[0].values == ("京津冀国家高新区联盟2024年计划",)


def test_read_blank_row_inside_a_merged_cell_is_no_row() -> None:
    data = xlsx_of([line(1), [None] * 9, line(2, "另一场", area=None)], merged=("B3:B5",))

    (sheet,) = read_sheets(data, "plan.xlsx")

    assert [row.number for row in sheet.rows] == [1, 2, 3, 5]
    assert sheet.rows[-1].values[1] == "产业协同"


def test_read_formula_without_result_is_its_text() -> None:
    (sheet,) = read_sheets(xlsx_of([line(title="=1+1")]), "plan.xlsx")

    assert sheet.rows[2].values[2] == "=1+1"


def test_read_formula_with_result_is_its_result() -> None:
    def put(name: str, content: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return content
        cell = b'<c r="D5" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>'
        start = content.index(b'<c r="D5"')
        return content[:start] + cell + content[content.index(b"</c>", start) + 4 :]

    (sheet,) = read_sheets(repacked(put), "plan.xlsx")

    assert sheet.rows[4].values[3] == "ab"


def test_read_text_that_looks_like_a_formula_is_text() -> None:
    def as_text(sheet: Any) -> None:
        sheet["C3"].data_type = "s"

    (sheet,) = read_sheets(xlsx_of([line(title="=HYPERLINK(1)")], change=as_text), "plan.xlsx")

    assert sheet.rows[2].values[2] == "=HYPERLINK(1)"


def test_read_date_shown_without_its_day_is_a_month() -> None:
    def as_month(sheet: Any) -> None:
        sheet["G3"].number_format = 'yyyy"年"m"月"'
        sheet["G4"].number_format = "mmm-yy"
        sheet["G5"].number_format = 'm"月"d"日"'

    day = datetime(2024, 5, 1)
    rows = [line(number, time=day) for number in (1, 2, 3)]
    (sheet,) = read_sheets(xlsx_of(rows, change=as_month), "plan.xlsx")

    assert [row.values[6] for row in sheet.rows[2:]] == ["2024年5月", "2024年5月", day]


def test_read_hidden_sheets_are_left_out() -> None:
    book = Workbook()
    book.worksheets[0].append(["a"])
    hidden = book.create_sheet("other")
    hidden.sheet_state = "hidden"

    assert [sheet.name for sheet in read_sheets(saved(book), "plan.xlsx")] == ["Sheet"]


def test_read_cells_loses_what_nobody_sees() -> None:
    data = xlsx_of([line(title="\u3000 对接\u200b会\xa0 ")])

    (sheet,) = read_sheets(data, "plan.xlsx")

    assert sheet.rows[2].values[2] == "对接会"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_read_csv_in_any_usual_encoding(encoding: str, mark: str) -> None:
    text = f'序号{mark}活动名称{mark}时间\r\n1{mark}"对接{mark}会\n二"{mark}5月14日\r\n\r\n'

    (sheet,) = read_sheets(text.encode(encoding), "plan.csv")

    assert [row.values for row in sheet.rows] == [
        ("序号", "活动名称", "时间"),
        ("1", f"对接{mark}会\n二" if mark != "\t" else "对接\t会\n二", "5月14日"),
    ]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "plan.xlsx", "not_a_workbook"),
        (b"", "plan.csv", "not_a_workbook"),
        (b"not a workbook", "plan.xlsx", "not_a_workbook"),
        (b"%PDF-1.7\n\x00\x01", "plan.csv", "not_a_workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "plan.png", "not_a_workbook"),
        ("序号,活动".encode() + b"\x00", "plan.csv", "not_a_workbook"),
        (b"\xff\xff\xff\xff", "plan.csv", "not_a_workbook"),
        (b"PK\x03\x04 and nothing more", "plan.xlsx", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "plan.xls", "old_format"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "plan.xlsx",
            "password_protected",
        ),
        (b'a,"' + b"x" * 200_000 + b'"', "plan.csv", "damaged"),
    ],
)
def test_read_other_files_are_refused(data: bytes, name: str, code: str) -> None:
    assert refused(data, name) == code


def test_read_cut_off_file_is_damaged(example: bytes) -> None:
    assert {refused(example[:size]) for size in (500, 3000, len(example) - 30)} == {"damaged"}


def test_read_flipped_bytes_are_damaged_or_read(example: bytes) -> None:
    for position in range(40, len(example), 97):
        broken = bytearray(example)
        broken[position] ^= 0xFF
        try:
            read_sheets(bytes(broken), "plan.xlsx")
        except UnreadableWorkbook as error:
            assert error.problem.code in {  # noqa: PT017 - either way is right
                "damaged",
                "not_a_workbook",
                "password_protected",
                "too_large",
            }


def test_read_other_zip_is_not_a_workbook() -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    only_types = repacked(lambda name, content: b"<Types/>" if "Content" in name else content)

    assert refused(stream.getvalue()) == "not_a_workbook"
    assert refused(only_types) == "not_a_workbook"


def test_read_workbook_without_its_sheet_is_damaged() -> None:
    data = repacked(lambda name, content: None if "sheet1" in name else content)

    assert refused(data) == "damaged"


def test_read_broken_xml_is_damaged() -> None:
    data = repacked(lambda name, content: content[:200] if "sheet1.xml" in name else content)

    assert refused(data) == "damaged"


@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_read_entities_are_refused_unexpanded(encoding: str) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    )
    data = repacked(
        lambda name, content: bomb.encode(encoding) if "sharedStrings" in name else content,
        **{"xl/extra.xml": bomb.encode(encoding)},
    )

    assert refused(data) == "damaged"


def test_read_bomb_is_refused_by_what_it_claims() -> None:
    data = repacked(lambda _name, content: content, **{"xl/x.bin": b"\0" * (UNPACKED_LIMIT + 1)})

    assert len(data) < 200_000
    assert refused(data) == "too_large"


def test_read_part_that_is_read_whole_and_is_huge_is_refused() -> None:
    def swell(name: str, content: bytes) -> bytes:
        return content + b" " * PART_LIMIT if name == "xl/styles.xml" else content

    assert refused(repacked(swell)) == "too_large"


def test_read_bomb_that_lies_about_its_size_is_refused() -> None:
    honest = repacked(lambda _name, content: content, **{"xl/x.bin": b"\0" * (UNPACKED_LIMIT + 1)})
    claimed = struct.pack("<I", UNPACKED_LIMIT + 1)

    assert refused(honest.replace(claimed, struct.pack("<I", 1000))) == "damaged"


def test_read_encrypted_member_asks_for_no_password(example: bytes) -> None:
    data = bytearray(example)
    for start in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[start] |= 1

    assert refused(bytes(data)) == "password_protected"


def test_read_lying_dimension_and_far_cells_cost_nothing() -> None:
    def far(sheet: Any) -> None:
        sheet["XFD3"] = "far"

    def lie(name: str, content: bytes) -> bytes:
        return content.replace(b'ref="A1:I26"', b'ref="A1:XFD1048576"')

    (sheet,) = read_sheets(xlsx_of([line()], change=far), "plan.xlsx")
    (other,) = read_sheets(repacked(lie), "plan.xlsx")

    assert (len(sheet.rows[2].values), len(other.rows)) == (8, 25)


def test_read_row_beyond_the_last_is_damaged() -> None:
    def far(name: str, content: bytes) -> bytes:
        return content.replace(b'<row r="26"', b'<row r="99999999"').replace(
            b'r="A26"', b'r="A99999999"'
        )

    assert refused(repacked(far)) == "damaged"


def test_read_more_rows_than_are_taken_is_cut() -> None:
    text = "\n".join(f"{number},活动" for number in range(READ_LIMIT + 50))

    (sheet,) = read_sheets(text.encode(), "plan.csv")

    assert (len(sheet.rows), sheet.is_cut) == (READ_LIMIT, True)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.xlsx", "a", ""]))
def test_read_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    for content in (data, b"PK\x03\x04" + data, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + data):
        try:
            sheets = read_sheets(content, name)
        except UnreadableWorkbook:
            continue
        assert all(isinstance(row, Row) for sheet in sheets for row in sheet.rows)


def test_text_of_values_is_as_people_type_it() -> None:
    values = [None, 3, 3.0, 1.5, datetime(2024, 5, 14), datetime(2024, 5, 14, 9, 30), "x"]

    assert [text_of(value) for value in values] == [
        "",
        "3",
        "3",
        "1.5",
        "2024-05-14",
        "2024-05-14 09:30",
        "x",
    ]


def test_column_letters_count_as_excel_does() -> None:
    assert [column_letters(index) for index in (0, 25, 26, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "ZZ",
        "AAA",
    ]
