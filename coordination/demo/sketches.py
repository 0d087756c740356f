"""The lines of the illustrative plan around today, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sketch:
    """A line of the plan and what became of its event.

    Attributes:
        area: 1 to 7.
        offset: days from today to the planned window's middle; None for an unknown time.
        precision: of the window.
        host: the host's position among the members, 0 for the secretariat.
        fate: "held", "late", "confirmed", "scheduled", "planned", "postponed", "put_off",
            "cancelled", "now", "tomorrow".
    """

    area: int
    zh: str
    en: str
    kind: str
    offset: int | None
    precision: str
    host: int
    fate: str
    place: str = "北京"
    days: int = 1


SKETCHES = (
    Sketch(1, "联盟理事会会议", "Council meeting", "会议", -150, "day", 0, "held"),
    Sketch(
        1,
        "走进保定高新区",
        "Visit to Baoding High-tech Zone",
        "走访交流",
        -92,
        "ten_days",
        4,
        "held",
        "保定",
    ),
    Sketch(
        1, "联络员业务培训", "Training of liaison officers", "培训", 1, "day", 0, "tomorrow", "线上"
    ),
    Sketch(1, "联盟会员大会", "Members' assembly", "会员大会", 45, "ten_days", 0, "scheduled"),
    Sketch(
        2,
        "中关村论坛平行论坛",
        "Parallel forum at the Zhongguancun Forum",
        "论坛",
        -128,
        "month",
        1,
        "held",
        days=3,
    ),
    Sketch(2, "高新区专场推介", "Presentation of the zones", "推介会", -120, "month", 2, "late"),
    Sketch(
        3,
        "生物医药成果对接会",
        "Results matching: biomedicine",
        "对接会",
        -75,
        "month",
        3,
        "held",
        "石家庄",
    ),
    Sketch(
        3,
        "概念验证平台开放日",
        "Open day of proof-of-concept platforms",
        "开放日",
        -20,
        "ten_days",
        2,
        "postponed",
        "天津",
    ),
    Sketch(
        3,
        "高校院所成果路演",
        "Roadshow of university results",
        "路演",
        12,
        "ten_days",
        1,
        "confirmed",
    ),
    Sketch(
        3,
        "飞地经济合作座谈会",
        "Round table on the enclave economy",
        "座谈会",
        80,
        "quarter",
        8,
        "planned",
        "沧州",
    ),
    Sketch(
        4,
        "氢能产业链供需对接会",
        "Supply and demand: hydrogen",
        "对接会",
        -60,
        "month",
        4,
        "held",
        "保定",
    ),
    Sketch(
        4,
        "机器人产业协同创新周",
        "Robotics innovation week",
        "沙龙",
        -1,
        "ten_days",
        5,
        "now",
        "唐山",
        4,
    ),
    Sketch(
        4,
        "网络安全应用场景发布",
        "Scenarios for cyber security",
        "发布会",
        20,
        "ten_days",
        2,
        "confirmed",
        "天津",
    ),
    Sketch(
        4,
        "智能网联汽车供应链大会",
        "Supply chain: connected cars",
        "大会",
        62,
        "month",
        4,
        "scheduled",
        "保定",
        2,
    ),
    Sketch(
        4,
        "高端工业母机协作配套会",
        "Suppliers for machine tools",
        "对接会",
        118,
        "quarter",
        5,
        "planned",
        "唐山",
    ),
    Sketch(
        5, "协同指数研究启动会", "Kick-off: coordination index", "研讨会", -140, "month", 0, "held"
    ),
    Sketch(
        5,
        "专题研究中期评审",
        "Mid-term review of the study",
        "评审会",
        -35,
        "month",
        0,
        "put_off",
        "线上",
    ),
    Sketch(
        5,
        "专题研究成果评审会",
        "Review of the study's results",
        "评审会",
        95,
        "month",
        0,
        "planned",
        "线上",
    ),
    Sketch(
        6,
        "应用场景与需求清单发布",
        "Publication of scenarios and needs",
        "发布会",
        -45,
        "month",
        0,
        "held",
        "线上",
    ),
    Sketch(
        6, "联合招聘会", "Joint recruitment fair", "招聘会", 30, "month", 9, "scheduled", "衡水"
    ),
    Sketch(
        6,
        "投融资对接会",
        "Matching finance and projects",
        "对接会",
        -8,
        "ten_days",
        6,
        "cancelled",
        "燕郊",
    ),
    Sketch(
        6,
        "资源信息平台上线",
        "Launch of the information platform",
        "发布会",
        140,
        "half_year",
        0,
        "planned",
        "线上",
    ),
    Sketch(
        7,
        "绿色数据中心考察",
        "Visit to green data centres",
        "考察",
        None,
        "unknown",
        7,
        "planned",
        "承德",
    ),
    Sketch(7, "年度工作总结会", "Annual review", "会议", 150, "month", 0, "planned"),
)
