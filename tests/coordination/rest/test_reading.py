"""Readings: compiled from serializers, the same objects as the rows."""

import pytest
from rest_framework import serializers

from alliances.models import Alliance, Organization, PlanItem
from coordination.accounts.viewer import PUBLIC
from coordination.rest.reading import (
    Computed,
    Localized,
    Reader,
    Reading,
    Rows,
    Texts,
    Values,
    read_rows,
)
from tests.factories import Cast, make_line, make_plan, make_work_area, window


class AreaPart(Reading):
    name = Localized("name")
    plan = serializers.CharField(source="plan.slug")


class HostPart(Reading):
    name = serializers.CharField()
    zone = Texts("organization.name")


class LineReading(Reading):
    class Meta:
        model = PlanItem

    alliance = serializers.CharField(source="plan.alliance.slug")
    title = Localized("title")
    area = AreaPart(source="work_area")
    times = Computed(serializers.IntegerField(), needs=("windows",), make=len)
    asker = Computed(
        serializers.CharField(),
        needs=("number",),
        make=lambda reader, number: f"{reader.viewer.username}{number}",
        sees=True,
    )
    hosts = Rows(HostPart(), source="hosts", order_by=("-position",))
    names = Values(
        serializers.CharField(),
        source="hosts",
        value="organization.name_en",
        order_by=("position",),
    )


def read(language: str = "en") -> list[dict]:
    return list(read_rows(PlanItem.objects.order_by("pk"), LineReading, Reader(PUBLIC, language)))


@pytest.fixture
def lines(cast: Cast) -> list[PlanItem]:
    plan = make_plan(cast.alliance)
    area = make_work_area(plan)
    hosts = (cast.host, cast.member)
    full = make_line(plan, "甲", window(), window(), work_area=area, hosts=hosts, title_en="A")
    return [full, make_line(plan, "乙", number="7")]


def test_reading_shows_columns_texts_objects_and_rows(lines: list[PlanItem]):
    assert read() == [
        {
            "alliance": "jjj",
            "title": "A",
            "area": {"name": "产业协同 (en)", "plan": "2028"},
            "times": 2,
            "asker": "",
            "hosts": [
                {"name": "石家庄高新区", "zone": {"zh": "石家庄高新区", "en": "Shijiazhuang Zone"}},
                {
                    "name": "天津滨海高新区",
                    "zone": {"zh": "天津滨海高新区", "en": "Tianjin Binhai Zone"},
                },
            ],
            "names": ["Tianjin Binhai Zone", "Shijiazhuang Zone"],
        },
        {
            "alliance": "jjj",
            "title": "乙",
            "area": None,
            "times": 1,
            "asker": "7",
            "hosts": [],
            "names": [],
        },
    ]


def test_reading_in_the_other_language_shows_other_words(lines: list[PlanItem]):
    shown = read("zh-hans")
    assert [line["title"] for line in shown] == ["甲", "乙"]
    assert shown[0]["area"]["name"] == "产业协同"


def test_reading_of_a_page_takes_one_query_and_one_for_each_part(
    lines: list[PlanItem], django_assert_num_queries
):
    read()
    with django_assert_num_queries(3):
        read()


def test_reading_of_no_rows_asks_for_no_parts(db: None, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert read() == []


def test_rows_inside_of_an_object_are_refused(cast: Cast):
    class Inner(Reading):
        class Meta:
            model = Organization

        aliases = Rows(HostPart(), source="aliases", order_by=("pk",))

    class Outer(Reading):
        inner = Inner(source="organization")

    with pytest.raises(TypeError):
        list(read_rows(Alliance.objects.all(), Outer, Reader(PUBLIC, "en")))
