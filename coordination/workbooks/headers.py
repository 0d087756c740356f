"""Finding the header row of a plan and its columns, by the words people use for them.

Columns may stand in any order, in Chinese or English, with spaces, full-width signs and remarks in
brackets: "活 动 名 称", "时间（暂定）", "Organiser(s)".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from coordination.workbooks.reading import Row, Sheet

HEADER_DEPTH = 40
FEWEST_COLUMNS = 2


class Column(StrEnum):
    """What a column of a plan holds."""

    UID = "uid"
    NUMBER = "number"
    WORK_AREA = "work_area"
    TITLE = "title"
    TYPE = "type"
    HOSTS = "hosts"
    PLACE = "place"
    TIME = "time"
    TIME_END = "time_end"
    PARTICIPANTS = "participants"
    NOTES = "notes"


WORDS: Mapping[Column, str] = {
    Column.UID: "uid 系统标识",
    Column.NUMBER: "序号 编号 序 号 no number # s/n sn nr item序号 itemno 行号",
    Column.WORK_AREA: (
        "工作方面 工作领域 工作板块 工作任务 重点工作 重点任务 工作分类 方面 领域 板块 "
        "主题 专题 主题方向 任务 任务分类 workarea workareas area theme themes "
        "workstream pillar topic areaofwork track strand programmearea"
    ),
    Column.TITLE: (
        "活动名称 活动 名称 会议名称 活动会议名称 活动名称会议名称 会议活动名称 事项 "
        "计划事项 事项名称 工作事项 活动内容 工作内容 内容 项目 项目名称 标题 活动主题 "
        "会议主题 title name event activity eventname activityname nameofevent "
        "nameofactivity nameoftheevent eventtitle activitytitle eventactivity "
        "activityevent item subject"
    ),
    Column.TYPE: (
        "活动类型 类型 类别 形式 活动形式 活动类别 会议类型 组织形式 举办形式 type "
        "eventtype typeofevent activitytype typeofactivity format category kind form"
    ),
    Column.HOSTS: (
        "主办承办单位 主办单位承办单位 主办单位 承办单位 主承办单位 主办 承办 主办方 "
        "承办方 举办单位 组织单位 牵头单位 责任单位 牵头部门 责任部门 承担单位 组织者 "
        "负责单位 协办单位 host hosts organizer organizers organiser organisers "
        "organizedby organisedby hostedby hostorganization hostorganisation "
        "hostorganizer hostorganiser hostsorganizers hostsorganisers hostedorganizedby "
        "lead leadorganization leadorganisation responsible responsibleorganization "
        "owner organizingbody organisingbody hostcoorganizer"
    ),
    Column.PLACE: (
        "地点 活动地点 举办地点 会议地点 召开地点 拟办地点 举办地 地址 场地 举办城市 "
        "城市 place venue location city where placevenue cityvenue venuelocation address"
    ),
    Column.TIME: (
        "时间 活动时间 举办时间 会议时间 召开时间 计划时间 拟定时间 拟办时间 时间安排 "
        "日期 活动日期 举办日期 开始时间 开始日期 起始时间 起始日期 时间节点 完成时间 "
        "月份 开始 起 time date dates when period schedule window timing plannedtime planneddate "
        "proposeddate proposedtime timeperiod datetime dateandtime timewindow start "
        "startdate starttime from month"
    ),
    Column.TIME_END: "结束 截止 结束时间 结束日期 终止时间 截止时间 end enddate endtime to until",
    Column.PARTICIPANTS: (
        "参加单位 参与单位 参加人员 参与人员 参会单位 参会人员 参加对象 参与对象 "
        "参加范围 参会范围 邀请单位 邀请对象 参加 参与 参会 参加成员 participants "
        "participant participatingunits attendees attendance audience invitees invited "
        "participatingorganizations participatingorganisations participatingmembers "
        "whotakespart"
    ),
    Column.NOTES: "备注 说明 其他 附注 备考 remarks remark notes note comments comment",
}
EXACT = {word: column for column, words in WORDS.items() for word in words.split()}
# Tried in this order on headers that are none of the exact words.
PARTS: tuple[tuple[str, Column], ...] = (
    ("备注|附注", Column.NOTES),
    ("参加|参与|参会|邀请", Column.PARTICIPANTS),
    (
        "主办|承办|牵头|责任单位|责任部门|组织单位|organi[sz]er|organi[sz]edby|hostedby",
        Column.HOSTS,
    ),
    ("结束|截止|终止", Column.TIME_END),
    ("时间|日期|月份", Column.TIME),
    ("地点|地址|场地|venue", Column.PLACE),
    ("工作方面|领域|板块|工作任务|重点任务|workarea", Column.WORK_AREA),
    ("类型|类别|形式", Column.TYPE),
    ("名称|活动内容|工作内容|事项|eventname|activityname", Column.TITLE),
    ("序号|编号", Column.NUMBER),
)
LONGEST_HEADER = 24


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header row is, and which columns hold what."""

    index: int
    row: Row
    columns: Mapping[Column, int]
    more_hosts: Sequence[int] = ()

    def column(self, name: Column) -> int | None:
        """Return the index of a column, from 0; None when the sheet has none."""
        return self.columns.get(name)

    def words(self, name: Column) -> str:
        """Return a column's header as written."""
        return " ".join(self.row.text(self.column(name)).split())


def find_header(sheet: Sheet) -> Header | None:
    """Return the header row of a plan: the row that names most columns, the name among them."""
    best: Header | None = None
    for index, row in enumerate(sheet.rows[:HEADER_DEPTH]):
        columns, more_hosts = _columns_of(row)
        is_header = Column.TITLE in columns and len(columns) >= FEWEST_COLUMNS
        if is_header and (best is None or len(columns) > len(best.columns)):
            best = Header(index, row, columns, more_hosts)
    return best and _with_second_row(best, sheet)


def _with_second_row(header: Header, sheet: Sheet) -> Header:
    """Take in a second header row: 时间 over 开始 and 结束, with the other headers merged down."""
    if header.index + 1 >= len(sheet.rows):
        return header
    row = sheet.rows[header.index + 1]
    own = {
        index: value
        for index, value in enumerate(row.values)
        if value is not None and index not in row.carried
    }
    columns, more_hosts = _columns_of(row)
    known = {*columns.values(), *more_hosts}
    if not own or row.own(header.column(Column.TITLE)) or set(own) - known:
        return header
    under = {name: index for name, index in header.columns.items() if index not in known}
    return Header(header.index + 1, row, under | columns, [*header.more_hosts, *more_hosts])


def meaning(text: str) -> Column | None:
    """Return what a header means; None when no rule knows it."""
    if len(text) > LONGEST_HEADER * 4:
        return None
    plain = unicodedata.normalize("NFKC", text).lower()
    whole = re.sub(r"[\s/\\、,，.:：*()\[\]（）【】\-_&+和与及]+", "", plain)
    bare = re.sub(r"[(\[【（].*?[)\]】）]", "", plain)
    bare = re.sub(r"[\s/\\、,，.:：*()\[\]\-_&+和与及]+", "", bare)
    for words in (plain.strip(), bare, whole):
        if words in EXACT:
            return EXACT[words]
    if len(whole) > LONGEST_HEADER:
        return None
    for pattern, column in PARTS:
        if re.search(pattern, bare or whole):
            return column
    return None


def _columns_of(row: Row) -> tuple[dict[Column, int], list[int]]:
    columns: dict[Column, int] = {}
    more_hosts: list[int] = []
    for index, value in enumerate(row.values):
        column = meaning(value) if isinstance(value, str) and index not in row.carried else None
        if column is Column.HOSTS and column in columns:
            more_hosts.append(index)
        elif column is not None:
            columns.setdefault(column, index)
    return columns, more_hosts
