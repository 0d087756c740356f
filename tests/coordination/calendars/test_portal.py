"""The pages of subscriptions: made, shown, renewed, revoked, each person's own."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars.linking import LinkSettings, issue_link, path_of, rename_link
from coordination.calendars.models import FeedLink
from events.models import Event
from tests.conftest import NOW
from tests.factories import AT, MORNING, Cast, make_event, make_plan

PAGE = "/connect/"
NEW = "/connect/links/new/"


def client_of(viewer: Viewer, language: str = "zh-hans") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(User.objects.get(pk=viewer.user_id))
    return client


@pytest.fixture
def client(cast: Cast) -> Client:
    return client_of(cast.member_liaison)


@pytest.fixture
def link(cast: Cast) -> FeedLink:
    settings = LinkSettings(
        name="我的手机", language="zh-hans", parameters={"mine": "1", "type": "走访"}, alarms=[45]
    )
    owner = User.objects.get(pk=cast.member_liaison.user_id)
    return issue_link(owner, settings, viewer=SYSTEM, at=AT)


def chosen(**values: Any) -> dict[str, Any]:
    return {"name": "日历", "what": "all", "language": "zh-hans"} | values


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_connect_without_a_login_shows_public_addresses_and_the_way_in(cast: Cast) -> None:
    page = Client().get(PAGE)

    text = page.content.decode()
    assert page.status_code == 200
    assert "http://testserver/calendars/alliances/jjj.ics<" in text
    assert 'href="webcal://testserver/calendars/alliances/dongbei.ics"' in text
    assert text.count('<svg role="img"') == 2
    assert f"/accounts/login/?next={PAGE}" in text
    assert NEW not in text


def test_connect_in_english_gives_the_english_addresses(cast: Cast) -> None:
    text = Client(headers={"Accept-Language": "en"}).get(PAGE).content.decode()

    assert "http://testserver/calendars/alliances/jjj.ics?lang=en<" in text


def test_connect_lists_ones_own_links_and_nobody_elses(
    cast: Cast, client: Client, link: FeedLink
) -> None:
    FeedLink.objects.update(last_fetched_at=NOW.replace(minute=0), last_program="Google Calendar")

    mine = text_of(client.get(PAGE))
    assert "我的手机" in mine
    assert "2028年3月31日 周五 23:00–24:00 · Google Calendar" in mine
    for part in ("secretary", "superuser", "stranger"):
        assert "我的手机" not in text_of(client_of(getattr(cast, part)).get(PAGE))


def test_connect_tells_where_a_calendar_account_is_set_up(cast: Cast, client: Client) -> None:
    signed_in, nobody = client.get(PAGE).content.decode(), Client().get(PAGE).content.decode()

    assert '<span class="code whole">http://testserver/dav/</span>' in signed_in
    assert 'href="/me/tokens/"' in signed_in
    assert 'href="/me/tokens/"' not in nobody


def test_connect_tells_the_hour_of_the_last_fetch_on_the_readers_clock(
    client: Client, link: FeedLink
) -> None:
    FeedLink.objects.filter(pk=link.pk).update(last_fetched_at=MORNING.starts_at)

    assert "2028年5月16日 周二 09:30–10:30" in text_of(client.get(PAGE))
    assert "2028年5月16日 周二 09:30–10:30" in text_of(client.get(f"/connect/links/{link.uid}/"))


def test_home_leads_to_the_subscriptions(client: Client) -> None:
    assert f'href="{PAGE}"' in client.get("/").content.decode().split("<main", 1)[1]


def test_new_link_begins_with_where_the_reader_came_from(cast: Cast, client: Client) -> None:
    plan = make_plan(cast.alliance, state="published")

    from_plan = client.get(f"{NEW}?plan={plan.uid}").content.decode()
    from_alliance = client.get(f"{NEW}?alliance=dongbei").content.decode()
    from_nowhere = client.get(f"{NEW}?plan=x&alliance=%00nobody").content.decode()

    assert f'<option value="{plan.uid}" selected>' in from_plan
    assert 'value="2028年工作计划"' in from_plan
    assert '<option value="dongbei" selected>' in from_alliance
    assert "selected>联盟" not in from_nowhere


def test_new_link_is_made_and_shown_with_address_and_qr_code(
    cast: Cast, client: Client, event: Event
) -> None:
    answer = client.post(
        NEW, chosen(what="mine", alliance="jjj", alarms=["60", "1440"], with_windows="on")
    )

    link = FeedLink.objects.get()
    assert answer["Location"] == f"/connect/links/{link.uid}/"
    assert LinkSettings.of(link) == LinkSettings(
        name="日历",
        language="zh-hans",
        parameters={"alliance": "jjj", "mine": "1"},
        alarms=[1440, 60],
        with_windows=True,
    )
    page = client.get(answer["Location"])
    text = page.content.decode()
    assert f"http://testserver{path_of(link)}<" in text
    assert f'href="webcal://testserver{path_of(link)}"' in text
    assert text.count('<svg role="img"') == 1
    assert "style=" not in text
    assert "no-store" in page["Cache-Control"]
    assert client.get(path_of(link)).status_code == 200


@pytest.fixture
def event(cast: Cast) -> Event:
    return make_event(cast.alliance, span=MORNING)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "id_name"),
        ({"alliance": "nobody"}, "id_alliance"),
        ({"alarms": ["7"]}, "id_alarms"),
        ({"language": "de"}, "id_language"),
    ],
)
def test_new_link_with_what_cannot_be_taken_is_shown_again(
    client: Client, values: dict[str, Any], field: str
) -> None:
    answer = client.post(NEW, chosen(**values))

    assert answer.status_code == 422
    assert f"{field}_error" in answer.content.decode()
    assert not FeedLink.objects.exists()


def test_new_link_for_nobody_leads_to_the_login(cast: Cast) -> None:
    for path in (NEW, f"/connect/links/{cast.alliance.uid}/"):
        assert Client().get(path)["Location"].startswith("/accounts/login/")
    assert Client().post(NEW, chosen())["Location"].startswith("/accounts/login/")
    assert not FeedLink.objects.exists()


def test_link_is_changed_and_keeps_what_the_form_does_not_show(
    client: Client, link: FeedLink
) -> None:
    path = f"/connect/links/{link.uid}/"
    assert "提前45分钟" in text_of(client.get(path)) or "45" in text_of(client.get(path))

    answer = client.post(path, chosen(version=1, name="新名", alarms=["45", "15"], days_only="on"))

    assert answer.status_code == 302
    link.refresh_from_db()
    assert LinkSettings.of(link) == LinkSettings(
        name="新名",
        language="zh-hans",
        parameters={"type": "走访"},
        alarms=[45, 15],
        days_only=True,
    )


def test_link_saved_second_shows_both_and_loses_nothing(client: Client, link: FeedLink) -> None:
    rename_link(FeedLink.objects.get(), "先", viewer=SYSTEM, at=AT)

    answer = client.post(f"/connect/links/{link.uid}/", chosen(version=1, name="后", what="mine"))

    assert answer.status_code == 422
    text = text_of(answer)
    assert " 先 " in text
    assert " 后 " in text
    assert FeedLink.objects.get().name == "先"


def test_link_is_given_a_new_address_and_then_revoked(client: Client, link: FeedLink) -> None:
    old = path_of(link)
    client.post(f"/connect/links/{link.uid}/replace/")
    link.refresh_from_db()
    new = path_of(link)
    assert (client.get(old).status_code, client.get(new).status_code) == (404, 200)

    answer = client.post(f"/connect/links/{link.uid}/revoke/")

    assert answer["Location"] == PAGE
    assert client.get(new).status_code == 404
    assert client.get(f"/connect/links/{link.uid}/").status_code == 404


def test_link_of_somebody_else_is_not_there(cast: Cast, link: FeedLink) -> None:
    for part in ("secretary", "superuser"):
        other = client_of(getattr(cast, part))
        path = f"/connect/links/{link.uid}/"
        assert other.get(path).status_code == 404
        assert other.post(path, chosen()).status_code == 404
        assert other.post(f"{path}replace/").status_code == 404
        assert other.post(f"{path}revoke/").status_code == 404
    assert FeedLink.objects.values_list("version", "revoked_at").get() == (1, None)


def test_link_whose_address_cannot_be_told_says_what_to_do(
    client: Client, link: FeedLink, settings: Any
) -> None:
    FeedLink.objects.update(sha256="0" * 64)

    page = client.get(f"/connect/links/{link.uid}/")

    assert page.status_code == 200
    assert "/calendars/links/" not in page.content.decode()
    assert "<svg" not in page.content.decode()


def test_pages_of_alliance_plan_and_event_lead_to_a_subscription(
    cast: Cast, client: Client, event: Event
) -> None:
    plan = make_plan(cast.alliance, state="published")
    pages = {
        "/alliances/jjj/": f"{NEW}?alliance=jjj",
        "/alliances/jjj/plans/2028/": f"{NEW}?plan={plan.uid}",
        f"/events/{event.uid}/": f"{NEW}?alliance=jjj",
    }
    for path, address in pages.items():
        assert f'href="{address}"' in client.get(path).content.decode()
        assert 'href="/connect/#jjj"' in Client().get(path).content.decode()


def test_connect_asks_as_often_for_one_link_as_for_thirty(
    cast: Cast, client: Client, link: FeedLink, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    plan = make_plan(cast.alliance, state="published")
    wanted = LinkSettings(
        name="x", language="en", parameters={"plan": str(plan.uid), "alliance": "jjj"}
    )
    issue_link(link.user, wanted, viewer=SYSTEM, at=AT)
    client.get(PAGE)
    few = count()
    for number in range(30):
        at = AT + timedelta(minutes=number)
        issue_link(link.user, wanted, viewer=SYSTEM, at=at)

    assert count() == few
