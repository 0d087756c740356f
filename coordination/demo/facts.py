"""What the demo world knows: facts with their source, and inventions marked as such.

A fact is reported in public; the `source` column says so. Everything else is an illustration
(示例): it carries `illustrative=True`, and "示例 / illustrative" in its source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

PUBLIC_REPORT = "公开报道 / public reports"
PRESS = "新闻报道 / press documents"
ILLUSTRATION = "示例 / illustrative"


@dataclass(frozen=True, slots=True)
class Member:
    """An organization that belongs to an alliance from its beginning.

    `is_fact` says whether its membership is reported; otherwise it is an illustration.
    """

    name_zh: str
    name_en: str
    kind: str = "zone"
    tier: str = ""
    country: str = "CN"
    time_zone: str = "Asia/Shanghai"
    name_local: str = ""
    local_language: str = ""
    aliases: tuple[str, ...] = ()
    is_fact: bool = True


@dataclass(frozen=True, slots=True)
class AllianceFacts:
    """An alliance, its bodies and its members."""

    slug: str
    kind: str
    name_zh: str
    name_en: str
    short_name_zh: str
    short_name_en: str
    description_zh: str
    description_en: str
    member_since: date
    source: str
    founded_on: date | None = None
    bodies: tuple[tuple[str, str, str], ...] = ()
    members: tuple[Member, ...] = field(default_factory=tuple)


ASSEMBLY = ("assembly", "会员大会", "Members' assembly")
COUNCIL = ("council", "理事会", "Council")
EXPERTS = ("expert_committee", "专家委员会", "Expert committee")


def _zone(zh: str, en: str, *aliases: str, tier: str = "national", is_fact: bool = True) -> Member:
    return Member(zh, en, tier=tier, aliases=aliases, is_fact=is_fact)


JJJ = AllianceFacts(
    slug="jjj",
    kind="high_tech_zone",
    name_zh="京津冀国家高新区联盟",
    name_en="Beijing-Tianjin-Hebei National High-tech Zone Alliance",
    short_name_zh="京津冀联盟",
    short_name_en="Jing-Jin-Ji Alliance",
    description_zh=(
        "2023年底在北京举行成立大会暨第一次会员大会,首批成员9家,设有秘书处。"
        "围绕创新协同、产业协同、区域协同,聚焦“六链五群”开展年度工作。"
    ),
    description_en=(
        "Founded in Beijing at the turn of November and December 2023 with nine members and a "
        "working secretariat. Works for innovation, industry and the region in concert, around "
        "six industry chains and five clusters."
    ),
    member_since=date(2023, 12, 1),
    source=f"{PUBLIC_REPORT};成员起始日为示例 / first day of membership illustrative",
    bodies=(ASSEMBLY, COUNCIL, EXPERTS),
    members=(
        _zone("中关村国家自主创新示范区", "Zhongguancun National Innovation Zone", "中关村示范区"),
        _zone("天津滨海高新区", "Tianjin Binhai High-tech Zone", "滨海高新区"),
        _zone("石家庄高新区", "Shijiazhuang High-tech Zone"),
        _zone("保定高新区", "Baoding High-tech Zone"),
        _zone("唐山高新区", "Tangshan High-tech Zone"),
        _zone("燕郊高新区", "Yanjiao High-tech Zone"),
        _zone("承德高新区", "Chengde High-tech Zone"),
        _zone("沧州高新区", "Cangzhou High-tech Zone", tier="provincial"),
        _zone("衡水高新区", "Hengshui High-tech Zone", tier="provincial"),
    ),
)

DONGBEI = AllianceFacts(
    slug="dongbei",
    kind="high_tech_zone",
    name_zh="东北地区国家高新区联盟",
    name_en="North-East National High-tech Zone Alliance",
    short_name_zh="东北联盟",
    short_name_en="North-East Alliance",
    description_zh=(
        "2023年12月15日在沈阳成立,由辽宁、吉林、黑龙江、内蒙古四省区科技部门主办,"
        "19家国家高新区参加。原则:落实国家要求,突出区域特色,整体推进。"
    ),
    description_en=(
        "Founded in Shenyang on 15 December 2023 by the science departments of Liaoning, Jilin, "
        "Heilongjiang and Inner Mongolia, with 19 national high-tech zones."
    ),
    founded_on=date(2023, 12, 15),
    member_since=date(2023, 12, 15),
    source=f"{PUBLIC_REPORT};成员名单为示例 / list of members illustrative",
    bodies=(ASSEMBLY, COUNCIL),
    members=tuple(
        _zone(zh, en, is_fact=False)
        for zh, en in (
            ("沈阳高新区", "Shenyang High-tech Zone"),
            ("大连高新区", "Dalian High-tech Zone"),
            ("鞍山高新区", "Anshan High-tech Zone"),
            ("本溪高新区", "Benxi High-tech Zone"),
            ("锦州高新区", "Jinzhou High-tech Zone"),
            ("营口高新区", "Yingkou High-tech Zone"),
            ("阜新高新区", "Fuxin High-tech Zone"),
            ("辽阳高新区", "Liaoyang High-tech Zone"),
            ("长春高新区", "Changchun High-tech Zone"),
            ("长春净月高新区", "Changchun Jingyue High-tech Zone"),
            ("吉林高新区", "Jilin High-tech Zone"),
            ("通化医药高新区", "Tonghua Medical High-tech Zone"),
            ("延吉高新区", "Yanji High-tech Zone"),
            ("哈尔滨高新区", "Harbin High-tech Zone"),
            ("大庆高新区", "Daqing High-tech Zone"),
            ("齐齐哈尔高新区", "Qiqihar High-tech Zone"),
            ("包头稀土高新区", "Baotou Rare Earth High-tech Zone"),
            ("呼和浩特金山高新区", "Hohhot Jinshan High-tech Zone"),
            ("鄂尔多斯高新区", "Ordos High-tech Zone"),
        )
    ),
)

ANHUI = AllianceFacts(
    slug="anhui",
    kind="high_tech_zone",
    name_zh="安徽省国家高新区高质量发展联盟",
    name_en="Anhui Alliance of National High-tech Zones for High-quality Development",
    short_name_zh="安徽联盟",
    short_name_en="Anhui Alliance",
    description_zh=(
        "成员之间交流资源、共享信息,开展资金、技术、人才合作与产需对接,"
        "开放共享区域科技基础设施、创新平台和专业服务。"
    ),
    description_en=(
        "Members exchange resources and information, cooperate in funds, technology and talent, "
        "match production with demand, and open their science infrastructure to each other."
    ),
    member_since=date(2024, 1, 1),
    source=f"{PRESS};成员名单与起始日为示例 / members and first day illustrative",
    bodies=(ASSEMBLY,),
    members=tuple(
        _zone(zh, en, is_fact=False)
        for zh, en in (
            ("合肥高新区", "Hefei High-tech Zone"),
            ("芜湖高新区", "Wuhu High-tech Zone"),
            ("蚌埠高新区", "Bengbu High-tech Zone"),
            ("马鞍山慈湖高新区", "Ma'anshan Cihu High-tech Zone"),
            ("铜陵狮子山高新区", "Tongling Shizishan High-tech Zone"),
            ("滁州高新区", "Chuzhou High-tech Zone"),
        )
    ),
)


def _city(
    zh: str,
    en: str,
    country: str,
    zone: str,
    local: str = "",
    language: str = "",
    *,
    fact: bool = False,
) -> Member:
    return Member(
        zh,
        en,
        kind="city",
        country=country,
        time_zone=zone,
        name_local=local,
        local_language=language,
        is_fact=fact,
    )


DEC40 = AllianceFacts(
    slug="dec40",
    kind="city",
    name_zh="全球数字经济城市联盟",
    name_en="Global Digital Economy City Alliance",
    short_name_zh="数字经济城市联盟",
    short_name_en="DEC40",
    description_zh=(
        "2025年7月2日在北京全球数字经济大会开幕式上,由北京市与欧洲、北美、亚太、中东、拉美"
        "约40座城市共同成立,在日内瓦注册,日内瓦、新加坡、北京设有办公室。"
        "议题:数字基础设施、跨境数据流动与治理、人工智能伦理、智慧城市应用。"
    ),
    description_en=(
        "Founded on 2 July 2025 at the opening of the Global Digital Economy Conference in Beijing "
        "by Beijing and some 40 cities; registered in Geneva, with offices in Geneva, Singapore "
        "and Beijing. Topics: digital infrastructure, cross-border data, AI ethics, smart cities."
    ),
    founded_on=date(2025, 7, 2),
    member_since=date(2025, 7, 2),
    source=f"{PUBLIC_REPORT};除北京、德尔特布雷外成员为示例 / members but two illustrative",
    bodies=(ASSEMBLY, COUNCIL),
    members=(
        _city("北京市", "Beijing", "CN", "Asia/Shanghai", fact=True),
        _city("德尔特布雷", "Deltebre", "ES", "Europe/Madrid", "Deltebre", "ca", fact=True),
        _city("日内瓦", "Geneva", "CH", "Europe/Zurich", "Genève", "fr"),
        _city("新加坡", "Singapore", "SG", "Asia/Singapore"),
        _city("内罗毕", "Nairobi", "KE", "Africa/Nairobi", "Nairobi", "sw"),
        _city("开罗", "Cairo", "EG", "Africa/Cairo", "القاهرة", "ar"),
        _city("圣保罗", "São Paulo", "BR", "America/Sao_Paulo", "São Paulo", "pt-BR"),
        _city("墨西哥城", "Mexico City", "MX", "America/Mexico_City", "Ciudad de México", "es"),
        _city("多伦多", "Toronto", "CA", "America/Toronto"),
        _city("奥克兰", "Auckland", "NZ", "Pacific/Auckland", "Tāmaki Makaurau", "mi"),
        _city("阿布扎比", "Abu Dhabi", "AE", "Asia/Dubai", "أبو ظبي", "ar"),
        _city("加德满都", "Kathmandu", "NP", "Asia/Kathmandu", "काठमाडौँ", "ne"),
    ),
)

ALLIANCES = (JJJ, DONGBEI, ANHUI, DEC40)

SUPPORTERS = (
    ("国际电信联盟", "International Telecommunication Union (ITU)"),
    ("联合国工业发展组织", "UN Industrial Development Organization (UNIDO)"),
    ("国际贸易中心", "International Trade Centre (ITC)"),
    ("联合国训练研究所", "UN Institute for Training and Research (UNITAR)"),
    ("联合国防灾减灾办公室", "UN Office for Disaster Risk Reduction (UNDRR)"),
)

ENGLISH_AREAS = {
    "搭建常态化沟通交流平台": "Regular exchange between members",
    "积极参与中关村论坛": "Taking part in the Zhongguancun Forum",
    "组织科技创新合作促进科技成果区域转化": "Bringing research results into the region",
    "聚焦“六链五群”促进产业协作": "Industry cooperation: six chains, five clusters",
    "开展战略专题研究": "Strategic studies",
    "推动资源信息对接": "Matching resources and information",
    "其他（公开报道未列名）": "Other (not named in public reports)",
}

ENGLISH_PLACES = {
    "北京": "Beijing",
    "天津": "Tianjin",
    "天津天开高教科创园": "Tiankai Higher Education Innovation Park, Tianjin",
    "石家庄": "Shijiazhuang",
    "保定": "Baoding",
    "唐山": "Tangshan",
    "燕郊": "Yanjiao",
    "承德": "Chengde",
    "沧州": "Cangzhou",
    "衡水": "Hengshui",
    "线上": "Online",
}

ENGLISH_TITLES = {
    "联盟第一次秘书处工作会议": "First working meeting of the secretariat",
    "走进天津天开园": "Visit to Tiankai Innovation Park, Tianjin",
    "走进石家庄高新区": "Visit to Shijiazhuang High-tech Zone",
    "联盟秘书处季度联席会": "Quarterly joint meeting of the secretariat",
    "参加2024中关村论坛年会平行论坛": "Parallel forum at the 2024 Zhongguancun Forum",
    "京津冀高新区专场推介": "Presentation of the Jing-Jin-Ji high-tech zones",
    "科技成果区域转化对接会（生物医药）": "Results transfer meeting: biomedicine",
    "概念验证与中试平台开放日": "Open day of proof-of-concept and pilot platforms",
    "高校院所成果路演": "Roadshow of university results",
    "飞地经济合作座谈会": "Round table on enclave-economy cooperation",
    "氢能产业链供需对接会": "Supply and demand meeting: hydrogen chain",
    "网络安全和工业互联网场景发布": "Scenarios for cyber security and industrial internet",
    "高端工业母机协作配套会": "Supplier meeting: high-end machine tools",
    "新能源和智能网联汽车供应链大会": "Supply chain conference: new energy and connected cars",
    "机器人产业协同创新沙龙": "Salon on innovation in robotics",
    "京津冀高新区协同指数专题研究启动会": "Kick-off: study of a coordination index",
    "专题研究成果评审会": "Review of the study's results",
    "应用场景与需求清单发布": "Publication of scenarios and needs",
    "人才交流与联合招聘": "Exchange of talent and joint recruitment",
    "承德绿色数据中心考察": "Visit to the green data centres of Chengde",
    "联盟年度会员大会": "Annual members' assembly",
}
