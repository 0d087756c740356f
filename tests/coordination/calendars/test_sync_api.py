"""JSON sync as its consumers use it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from alliances.drafting import Line, revise_item
from alliances.expiring import record_access_changes
from alliances.joining import end_membership
from alliances.models import Membership, Person
from alliances.planning import add_work_area
from alliances.seating import add_person, seat_person
from coordination.accounts.models import User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.changes.models import Counter
from events.models import Event
from events.scheduling import (
    Host,
    cancel_event,
    discard_event,
    draft_event,
    revise_event,
    schedule_event,
)
from tests.conftest import NOW
from tests.factories import (
    AT,
    MORNING,
    Cast,
    make_event,
    make_line,
    make_organization,
    make_plan,
    stored,
    window,
)

SYNC = "/api/v1/sync/"
pytestmark = pytest.mark.usefixtures("fixed_clock")


def client_for(viewer: Viewer) -> Client:
    if viewer.user_id is None:
        return Client()
    user = User.objects.get(pk=viewer.user_id)
    token = issue_token(user, name="test", scopes=["events:read"], viewer=SYSTEM, at=AT)
    return Client(headers={"Authorization": f"Bearer {token.secret}"})


def read(client: Client, **params: object) -> dict[str, Any]:
    answer = client.get(SYNC, params)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def titles(answer: dict[str, Any]) -> list[str]:
    return [event["title"] for event in answer["events"]]


def refused(client: Client, **params: object) -> tuple[int, str]:
    answer = client.get(SYNC, params)
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def make_public(cast: Cast, *names: str) -> list[Event]:
    return [
        make_event(cast.alliance, scheduled=True, audience="public", title_zh=name)
        for name in names
    ]


def test_read_without_a_token_comes_in_pages_and_the_last_carries_the_token(cast: Cast) -> None:
    make_public(cast, "一", "二", "三")
    client = Client()

    first = client.get(SYNC, {"limit": 2})
    page = first.json()
    last = client.get(page["next"]).json()

    assert (titles(page), page["more"], "token" in page) == (["一", "二"], True, False)
    assert first["Link"] == f'<{page["next"]}>; rel="next"'
    assert (titles(last), last["more"], last["next"]) == (["三"], False, None)
    assert read(client, token=last["token"]) == {
        "events": [], "removed": [], "more": False, "next": None, "token": last["token"],
    }  # fmt: skip


def test_read_what_changes_between_two_pages_comes_with_the_token(cast: Cast) -> None:
    first, *_others = make_public(cast, "一", "二", "三")
    page = read(Client(), limit=2)
    revise_event(stored(first), title_zh="一改", viewer=SYSTEM, at=AT)

    last = Client().get(page["next"]).json()

    assert titles(read(Client(), token=last["token"], limit=2)) == ["一改"]


def test_read_takes_away_what_came_and_went_between_two_pages(cast: Cast) -> None:
    make_public(cast, "一", "二")
    page = read(Client(), limit=1)
    (passing,) = make_public(cast, "三")
    pages = [page]
    while pages[-1]["next"]:
        pages.append(Client().get(pages[-1]["next"]).json())
    held = {one["uid"] for page in pages for one in page["events"]}
    revise_event(stored(passing), audience="secretariat", viewer=SYSTEM, at=AT)

    news = read(Client(), token=pages[-1]["token"])

    assert str(passing.uid) in held
    assert news["events"] == []
    assert news["removed"] == [{"uid": str(passing.uid), "reason": "left_view"}]


def test_read_takes_away_what_was_shown_ahead_of_a_token_of_a_part(cast: Cast) -> None:
    first, second = make_public(cast, "一", "二")
    token = read(Client())["token"]
    revise_event(stored(first), audience="secretariat", viewer=SYSTEM, at=AT)
    revise_event(stored(second), title_zh="二改", viewer=SYSTEM, at=AT)
    revise_event(stored(first), audience="public", viewer=SYSTEM, at=AT)
    part = read(Client(), token=token, limit=1)
    revise_event(stored(first), audience="secretariat", viewer=SYSTEM, at=AT)

    news = read(Client(), token=part["token"])

    assert (titles(part), part["more"]) == (["一"], True)
    assert news["removed"] == [{"uid": str(first.uid), "reason": "left_view"}]


def test_read_with_a_token_says_what_changed_and_what_left_the_filter(cast: Cast) -> None:
    plan = make_plan(cast.alliance, state="published")
    area, other = (
        add_work_area(plan, name_zh=name, viewer=SYSTEM, at=AT) for name in ("产业", "人才")
    )
    kept, moved = (
        make_event(
            cast.alliance, scheduled=True, audience="public", title_zh=name, plan=plan,
            work_area=area,
        )
        for name in ("留", "走")
    )  # fmt: skip
    begun = read(Client(), work_area=area.uid)
    revise_event(stored(moved), work_area=other, viewer=SYSTEM, at=AT)
    cancel_event(stored(kept), reason="暴雨", viewer=SYSTEM, at=AT)

    news = read(Client(), work_area=area.uid, token=begun["token"])

    assert [(one["title"], one["state"]) for one in news["events"]] == [("留", "cancelled")]
    assert news["removed"] == [{"uid": str(moved.uid), "reason": "left_view"}]


def test_read_after_a_draft_was_deleted_says_deleted_to_those_who_saw_it(cast: Cast) -> None:
    draft = draft_event(
        cast.alliance, viewer=SYSTEM, at=AT, title_zh="草稿", audience="secretariat"
    )
    secretary, liaison = client_for(cast.secretary), client_for(cast.member_liaison)
    tokens = [read(client)["token"] for client in (secretary, liaison)]
    uid = str(draft.uid)
    discard_event(stored(draft), viewer=SYSTEM, at=AT)

    assert read(secretary, token=tokens[0])["removed"] == [{"uid": uid, "reason": "deleted"}]
    assert read(liaison, token=tokens[1])["removed"] == []


def test_read_after_the_membership_ended_takes_away_what_only_members_see(cast: Cast) -> None:
    public, inner = (
        make_event(cast.alliance, scheduled=True, audience=audience, title_zh=audience,
                   online_url="https://meet.example.org/1")
        for audience in ("public", "members")
    )  # fmt: skip
    client = client_for(cast.member_liaison)
    token = read(client)["token"]
    membership = Membership.objects.get(alliance=cast.alliance, organization=cast.member)
    end_membership(membership, on=NOW.date(), reason="退出", viewer=SYSTEM, at=AT)
    record_access_changes(at=NOW)

    first = read(client, token=token)
    news = read(client, token=first["token"]) if first["more"] else first

    assert news["removed"] == [{"uid": str(inner.uid), "reason": "left_view"}]
    assert [(one["uid"], one["online_url"]) for one in news["events"]] == [(str(public.uid), None)]


@pytest.mark.parametrize(
    "params",
    [{"alliance": "jjj"}, {"mine": "1"}, {"lang": "en"}, {"from": "2028-01-01"}],
    ids=["filter", "mine", "language", "window"],
)
def test_read_with_a_token_of_something_else_starts_anew(
    cast: Cast, params: dict[str, str]
) -> None:
    token = read(Client())["token"]

    assert refused(Client(), token=token, **params) == (410, "sync_token_refused")


def test_read_with_a_token_of_another_person_or_installation_starts_anew(cast: Cast) -> None:
    token = read(client_for(cast.secretary))["token"]

    assert refused(client_for(cast.chair), token=token) == (410, "sync_token_refused")
    assert refused(Client(), token=token) == (410, "sync_token_refused")
    own = read(Client())["token"]
    Counter.objects.update(epoch="00000000-0000-4000-8000-000000000001")
    assert refused(Client(), token=own) == (410, "sync_token_refused")


@pytest.mark.parametrize(
    "token", ["", "1", "x" * 5000, "1.5.a.b.c", "１.0", "%00", "1.9.." + "0" * 22]
)
def test_read_with_garbage_starts_anew(db: None, token: str) -> None:
    assert refused(Client(), token=token) == (410, "sync_token_refused")


def test_read_with_a_token_whose_number_was_raised_starts_anew(cast: Cast) -> None:
    token = read(Client())["token"].split(".")
    token[1] = str(int(token[1]) + 1)

    assert refused(Client(), token=".".join(token)) == (410, "sync_token_refused")


def test_read_with_a_token_of_400_days_ago_is_answered_and_a_day_older_refused(
    cast: Cast,
) -> None:
    token = read(Client())["token"]
    make_event(cast.alliance, audience="public", title_zh="新")
    made = AT

    with time_machine.travel(made + timedelta(days=400), tick=False):
        assert titles(read(Client(), token=token)) == ["新"]
    with time_machine.travel(made + timedelta(days=400, seconds=1), tick=False):
        assert refused(Client(), token=token) == (410, "sync_token_refused")


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"colour": "red"}, "colour"),
        ({"mine": "yes"}, "mine"),
        ({"limit": "0"}, "limit"),
        ({"from": "soon"}, "from"),
        ({"cursor": "abc"}, "cursor"),
        ({"token": "1", "cursor": "abc"}, "cursor"),
    ],
)
def test_read_with_a_parameter_that_cannot_be_taken_names_it(
    db: None, params: dict[str, str], parameter: str
) -> None:
    answer = Client().get(SYNC, params)

    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_read_of_a_window_that_ends_before_it_begins_names_both_ends(db: None) -> None:
    answer = Client().get(SYNC, {"from": "2028-05-17", "to": "2028-05-16"})

    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["from", "to"]


def test_read_again_with_the_tag_is_304(cast: Cast) -> None:
    make_public(cast, "一")
    answer = Client().get(SYNC)

    again = Client().get(SYNC, headers={"If-None-Match": answer["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])


def test_read_mine_is_what_an_organization_hosts_or_is_asked_to(cast: Cast) -> None:
    make_public(cast, "别人的")
    revise_event(*make_public(cast, "我们的"), named=[cast.member], viewer=SYSTEM, at=AT)

    assert titles(read(client_for(cast.member_liaison), mine=1)) == ["我们的"]
    assert titles(read(Client(), mine=1)) == []


@pytest.mark.django_db
def test_read_costs_as_many_queries_for_thirty_changes_as_for_one(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    events = make_public(cast, *(str(number) for number in range(30)))
    make_organization("旁观")
    token = read(Client())["token"]
    counts = []
    for changed in (events[:1], events[1:]):
        for event in changed:
            revise_event(stored(event), address=f"{event.title_zh}号", viewer=SYSTEM, at=AT)
        with django_assert_num_queries(7) as captured:
            news = read(Client(), token=token)
        token = news["token"]
        counts.append((len(captured), len(news["events"])))

    assert [found for _queries, found in counts] == [1, 29]


def test_read_as_jscalendar_is_the_same_copy_in_another_form(cast: Cast) -> None:
    dated, dateless = (
        *make_public(cast, "有时间"),
        make_event(cast.alliance, audience="public", title_zh="未定"),
    )
    client = Client(headers={"Accept": "application/jscalendar+json"})

    answer = client.get(SYNC)
    begun = answer.json()
    cancel_event(stored(dated), reason="暴雨", viewer=SYSTEM, at=AT)
    revise_event(stored(dateless), title_zh="仍未定", viewer=SYSTEM, at=AT)
    news = client.get(SYNC, {"token": begun["token"]}).json()

    assert answer["Content-Type"] == "application/jscalendar+json"
    assert [(one["@type"], one["uid"], one["title"]) for one in begun["events"]] == [
        ("Event", dated.ical_uid, "有时间")
    ]
    assert [(one["uid"], one["status"]) for one in news["events"]] == [
        (dated.ical_uid, "cancelled")
    ]
    assert news["removed"] == []
    assert refused(Client(), token=begun["token"]) == (410, "sync_token_refused")


def test_read_as_jscalendar_tells_nothing_of_what_never_had_a_date(cast: Cast) -> None:
    changed, gone = (make_event(cast.alliance, title_zh=name) for name in ("未定", "误建"))
    client = Client(headers={"Accept": "application/jscalendar+json"})
    begun = client.get(SYNC).json()
    make_event(cast.alliance, title_zh="新而未定")
    revise_event(stored(changed), title_zh="仍未定", viewer=SYSTEM, at=AT)
    discard_event(stored(gone), viewer=SYSTEM, at=AT)

    news = client.get(SYNC, {"token": begun["token"]}).json()

    assert begun["events"] == []
    assert (news["events"], news["removed"], news["more"]) == ([], [], False)
    schedule_event(stored(changed), MORNING, viewer=SYSTEM, at=AT)
    dated = client.get(SYNC, {"token": news["token"]}).json()
    assert [one["uid"] for one in dated["events"]] == [changed.ical_uid]


def test_read_as_jscalendar_says_that_what_lost_its_date_left(cast: Cast) -> None:
    plan = make_plan(cast.alliance)
    dated, dateless = make_line(plan, "有时段", window("2028-05-11")), make_line(plan, "无时段")
    event = Event.objects.get(plan_item=dated)
    client = client_for(cast.secretary)
    jscalendar = {"headers": {"Accept": "application/jscalendar+json"}}
    begun = client.get(SYNC, **jscalendar).json()
    for line in (dated, dateless):
        values = Line(values={"title_zh": "都无时段", "windows": [window()]})
        revise_item(stored(line), values, viewer=SYSTEM, at=AT)

    news = client.get(SYNC, {"token": begun["token"]}, **jscalendar).json()

    assert [one["uid"] for one in begun["events"]] == [event.ical_uid]
    assert news["events"] == []
    assert news["removed"] == [{"uid": event.ical_uid, "reason": "left_view"}]


@pytest.mark.parametrize("role", ["secretary", "superuser"])
def test_read_mine_and_keep_it_when_rights_come_from_two_seats(cast: Cast, role: str) -> None:
    viewer: Viewer = getattr(cast, role)
    person = Person.objects.filter(user=viewer.user_id).first() or add_person(
        user_id=viewer.user_id, name_zh="两职", viewer=SYSTEM, at=AT
    )
    seat = {"role": "liaison", "organization": cast.host, "starts_on": date(2027, 1, 1)}
    seat_person(person, viewer=SYSTEM, at=AT, **seat)
    shown = make_event(cast.alliance, audience="members", hosts=[Host(cast.host)], title_zh="见")
    hidden = make_event(cast.alliance, audience="secretariat", hosts=[Host(cast.host)])
    client = client_for(viewer)
    copy = read(client, mine=1)
    discard_event(stored(hidden), viewer=SYSTEM, at=AT)
    discard_event(stored(shown), viewer=SYSTEM, at=AT)
    delta = read(client, mine=1, token=copy["token"])

    assert titles(copy) == ["见"]
    assert delta["removed"] == [{"uid": str(shown.uid), "reason": "deleted"}]
