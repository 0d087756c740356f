"""Organizations by the names that people write."""

from __future__ import annotations

from alliances.models import PlanItem
from tests.coordination.workbooks.importer import take
from tests.coordination.workbooks.sheets import line, xlsx_of
from tests.factories import Cast, make_organization


def test_import_hosts_by_alias_suffix_and_display_name(cast: Cast) -> None:
    zone = make_organization("保定高新区", aliases=["保定国家高新区"])
    rows = [line(1, hosts="保定国家高新区；石家庄高新区 管委会；不认识的单位")]

    take(cast, xlsx_of(rows))

    hosts = PlanItem.objects.get().hosts.all()
    assert [(host.name, host.organization) for host in hosts] == [
        ("保定国家高新区", zone),
        ("石家庄高新区 管委会", cast.member),
        ("不认识的单位", None),
    ]
