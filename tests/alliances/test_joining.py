"""Founding alliances, admitting members, seating people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from alliances import joining, seating
from alliances.models import Membership, Organization, PersonDetails, Seat
from alliances.models.organization import name_key
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import issue_token
from coordination.accounts.viewer import PUBLIC, SYSTEM, Grant, viewer_for
from coordination.changes.history import history_of
from coordination.changes.models import Change
from coordination.changes.refusals import InvalidInput, NotAllowed, TransitionNotAllowed
from events.inviting import answer_invitation, invite_organizations
from events.models import Duty, Invitation
from events.owing import fulfil_duty, set_duty
from tests.factories import (
    AT,
    Cast,
    make_alliance,
    make_body,
    make_event,
    make_line,
    make_member,
    make_organization,
    make_person,
    make_plan,
    make_user,
    secretariat_of,
    viewer_of,
)

pytestmark = pytest.mark.django_db


def test_found_alliance_gives_it_a_secretariat() -> None:
    alliance = make_alliance("fujian")

    assert [body.kind for body in alliance.bodies.all()] == ["secretariat"]


def test_found_alliance_by_a_secretary_of_another_is_refused(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        joining.found_alliance(
            viewer=cast.secretary, at=AT, slug="mine", kind="other", name_zh="我的联盟"
        )


def test_found_alliance_with_an_unusable_address_names_the_field() -> None:
    with pytest.raises(InvalidInput) as refusal:
        make_alliance("Not A Slug")

    assert {error.field for error in refusal.value.errors} == {"slug"}


def test_admit_member_twice_in_one_period_is_refused_by_the_database() -> None:
    alliance, organization = make_alliance(), make_organization()
    make_member(alliance, organization, starts_on=date(2024, 1, 1), ends_on=date(2026, 1, 1))

    for starts_on, ends_on in (
        (date(2025, 12, 31), None),
        (date(2023, 1, 1), date(2024, 1, 2)),
        (date(2024, 6, 1), date(2024, 7, 1)),
        (date(2020, 1, 1), None),
    ):
        with pytest.raises(InvalidInput) as refusal, transaction.atomic():
            make_member(alliance, organization, starts_on=starts_on, ends_on=ends_on)
        assert refusal.value.errors[0].code == "membership_periods_never_overlap"

    make_member(alliance, organization, starts_on=date(2026, 1, 1))
    make_member(alliance, organization, starts_on=date(2020, 1, 1), ends_on=date(2024, 1, 1))
    assert Membership.objects.count() == 3


def test_revise_membership_into_another_period_is_refused_by_the_database() -> None:
    alliance, organization = make_alliance(), make_organization()
    make_member(alliance, organization, starts_on=date(2024, 1, 1), ends_on=date(2025, 1, 1))
    later = make_member(alliance, organization, starts_on=date(2026, 1, 1))

    with pytest.raises(InvalidInput), transaction.atomic():
        joining.revise_membership(
            Membership.objects.get(pk=later.pk), viewer=SYSTEM, at=AT, starts_on=date(2024, 12, 31)
        )

    assert Membership.objects.get(pk=later.pk).starts_on == date(2026, 1, 1)


def test_active_on_answers_who_was_a_member_in_one_query(
    django_assert_num_queries: pytest.FixtureRequest,
) -> None:
    alliance, organization = make_alliance(), make_organization()
    make_member(alliance, organization, starts_on=date(2024, 2, 29), ends_on=date(2025, 1, 1))

    def members_on(day: date) -> list[str]:
        rows = Membership.objects.filter(alliance=alliance).active_on(day)
        return list(rows.values_list("organization__name_zh", flat=True))

    with django_assert_num_queries(4):  # type: ignore[operator]
        assert members_on(date(2024, 2, 28)) == []
        assert members_on(date(2024, 2, 29)) == ["天津滨海高新区"]
        assert members_on(date(2024, 12, 31)) == ["天津滨海高新区"]
        assert members_on(date(2025, 1, 1)) == []


def test_end_membership_takes_the_right_to_see_with_it(cast: Cast) -> None:
    membership = Membership.objects.get(organization=cast.member)
    user = User.objects.get(username="liaison")

    joining.end_membership(
        membership, on=date(2028, 2, 1), reason="退出", viewer=cast.secretary, at=AT
    )

    before = viewer_for(user, at=datetime(2028, 1, 31, 12, tzinfo=UTC), language="en")
    after = viewer_for(user, at=datetime(2028, 2, 1, 12, tzinfo=UTC), language="en")
    assert Grant("member", "alliance", cast.alliance.pk) in before.grants
    assert Grant("member", "alliance", cast.alliance.pk) not in after.grants
    assert Grant("liaison", "organization", cast.member.pk) in after.grants
    with pytest.raises(TransitionNotAllowed):
        joining.end_membership(
            Membership.objects.get(pk=membership.pk),
            on=date(2028, 3, 1),
            reason="again",
            viewer=SYSTEM,
            at=AT,
        )


def test_appoint_chair_in_anothers_term_is_refused_by_the_database(cast: Cast) -> None:
    council = make_body(cast.alliance, kind="standing_council")
    joining.appoint_chair(
        council, cast.host, viewer=cast.secretary, at=AT,
        starts_on=date(2027, 1, 1), ends_on=date(2028, 1, 1),
    )  # fmt: skip

    with pytest.raises(InvalidInput) as refusal, transaction.atomic():
        joining.appoint_chair(
            council, cast.member, viewer=cast.secretary, at=AT, starts_on=date(2027, 12, 31)
        )

    assert refusal.value.errors[0].code == "chair_terms_never_overlap"
    joining.appoint_chair(
        council, cast.member, viewer=cast.secretary, at=AT, starts_on=date(2028, 1, 1)
    )


def test_seat_person_for_a_first_organization_sets_the_clock_of_their_account(cast: Cast) -> None:
    madrid = make_organization("德尔特布雷", country="ES", time_zone="Europe/Madrid")
    tokyo = make_organization("东京", country="JP", time_zone="Asia/Tokyo")
    chosen = make_user("chosen", time_zone="Europe/Paris")
    new, settled = (
        seating.add_person(viewer=SYSTEM, at=AT, user_id=user.pk, name_en=user.username)
        for user in (make_user("new"), chosen)
    )

    for organization in (madrid, tokyo):
        for person in (new, settled):
            seating.seat_person(
                person, role="liaison", organization=organization, starts_on=AT.date(),
                viewer=SYSTEM, at=AT,
            )  # fmt: skip

    zones = User.objects.filter(username__in=["new", "chosen"]).order_by("-username")
    assert list(zones.values_list("time_zone", flat=True)) == ["Europe/Madrid", "Europe/Paris"]


def test_hand_over_seat_sets_the_clock_of_a_successor_who_is_new(cast: Cast) -> None:
    madrid = make_organization("德尔特布雷", country="ES", time_zone="Europe/Madrid")
    seat = make_person("old", role="liaison", organization=madrid).seats.get()
    successor = make_person("next")

    seating.hand_over_seat(seat, successor, on=date(2028, 2, 1), viewer=SYSTEM, at=AT)

    assert User.objects.get(username="next").time_zone == "Europe/Madrid"


def test_seat_person_wants_exactly_one_place(cast: Cast) -> None:
    person = make_person("new")
    for places in (
        {},
        {"organization": cast.member, "body": secretariat_of(cast.alliance)},
    ):
        with pytest.raises(InvalidInput):
            seating.seat_person(
                person, role="liaison", starts_on=AT.date(), viewer=SYSTEM, at=AT, **places
            )

    assert Seat.objects.filter(person=person).count() == 0


def test_seat_person_in_a_role_that_does_not_fit_is_refused_by_the_database(cast: Cast) -> None:
    person = make_person("new")

    with pytest.raises(InvalidInput) as refusal, transaction.atomic():
        seating.seat_person(
            person,
            role="staff",
            organization=cast.member,
            starts_on=AT.date(),
            viewer=SYSTEM,
            at=AT,
        )

    assert refusal.value.errors[0].code == "seat_is_for_an_organization_or_in_a_body"


def test_seat_person_for_an_organization_outside_ones_alliance_is_refused(cast: Cast) -> None:
    person = make_person("new")

    with pytest.raises(NotAllowed):
        seating.seat_person(
            person,
            role="liaison",
            organization=cast.outside,
            starts_on=AT.date(),
            viewer=cast.secretary,
            at=AT,
        )


def test_hand_over_seat_passes_the_role_on_and_revokes_the_tokens(cast: Cast) -> None:
    seat = Seat.objects.select_related("person__user", "organization", "body").get(
        person__user__username="liaison"
    )
    old = User.objects.get(username="liaison")
    issue_token(old, name="phone", viewer=viewer_of(old), at=AT)
    successor = make_person("successor")

    new = seating.hand_over_seat(seat, successor, on=AT.date(), viewer=cast.member_liaison, at=AT)

    assert (new.role, new.organization, new.starts_on) == ("liaison", cast.member, AT.date())
    assert viewer_of(old, at=AT + timedelta(days=1)).grants == frozenset()
    assert viewer_of(successor.user).has("liaison", "organization", cast.member.pk)
    assert list(ApiToken.objects.values_list("revoked_at", flat=True)) == [AT]


def test_erase_person_leaves_no_name_in_the_tables_or_the_log(cast: Cast) -> None:
    person = make_person("wang", role="liaison", organization=cast.host)
    PersonDetails.objects.filter(person=person).update(name_zh="王小明", phone="13800000000")

    seating.erase_person(person, viewer=cast.superuser, at=AT, reason="本人要求")

    assert not PersonDetails.objects.filter(person=person).exists()
    user = User.objects.get(pk=person.user_id)
    assert (user.is_active, user.email, user.username) == (False, "", f"erased-{user.uid}")
    text = str(list(Change.objects.values_list("diff", flat=True)))
    assert "王小明" not in text
    assert "13800000000" not in text
    assert Seat.objects.filter(person=person).count() == 1


def test_merge_organizations_keeps_names_members_and_seats(cast: Cast) -> None:
    double = make_organization("滨海高新区", aliases=["天津滨海"])
    make_member(cast.other, double)
    make_person("double", role="deputy", organization=double)

    joining.merge_organizations(cast.host, double, viewer=cast.superuser, at=AT, reason="同一单位")

    known = joining.organizations_by_name()
    assert known["滨海高新区"] == known["天津滨海"] == known["天津滨海高新区"] == cast.host
    assert Organization.objects.get(pk=double.pk).merged_into == cast.host
    assert Membership.objects.get(alliance=cast.other, organization=cast.host)
    assert Seat.objects.get(person__user__username="double").organization == cast.host


def test_organizations_by_name_find_an_office_by_its_zone() -> None:
    zone = make_organization("天津滨海高新区", name_en="Tianjin Binhai", aliases=["滨海　高新区"])

    known = joining.organizations_by_name()

    for written in (
        "天津滨海高新区管委会",
        "天津滨海高新区 管理委员会",
        "ＴＩＡＮＪＩＮ　binhai",
        "滨海高新区",
    ):
        assert known[name_key(written)] == zone


def test_history_tells_in_both_languages_who_did_what(cast: Cast) -> None:
    joining.revise_alliance(cast.alliance, viewer=cast.secretary, at=AT, name_en="New name")

    (chinese, *_rest) = history_of(cast.alliance.uid, language="zh-hans")
    (english, *_others) = history_of(cast.alliance.uid, language="en")

    assert (chinese.words, english.words) == ("修改了联盟信息", "changed the alliance's details")
    assert chinese.actor == english.actor == "secretary"
    assert [(field.name, field.before, field.after) for field in english.fields] == [
        ("name_en", "Alliance jjj", "New name")
    ]


def test_verbs_by_the_public_are_refused_and_change_nothing(cast: Cast) -> None:
    count = Change.objects.count()
    membership = Membership.objects.first()

    for attempt in (
        lambda: joining.revise_alliance(cast.alliance, viewer=PUBLIC, at=AT, name_en="x"),
        lambda: joining.add_body(cast.alliance, viewer=PUBLIC, at=AT, kind="other", name_zh="x"),
        lambda: joining.register_organization(viewer=PUBLIC, at=AT, kind="zone", name_zh="x"),
        lambda: joining.revise_organization(cast.host, viewer=PUBLIC, at=AT, name_en="x"),
        lambda: joining.admit_member(cast.alliance, cast.outside, viewer=PUBLIC, at=AT),
        lambda: joining.revise_membership(membership, viewer=PUBLIC, at=AT, tier="x"),
        lambda: seating.add_person(viewer=PUBLIC, at=AT, name_zh="x"),
    ):
        with pytest.raises(NotAllowed):
            attempt()

    assert Change.objects.count() == count


def test_merge_organizations_that_were_members_together_leaves_one_membership(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区", name_local="Binhai")
    make_member(cast.alliance, twin, starts_on=date(2025, 1, 1), ends_on=date(2027, 6, 1))
    make_member(cast.other, twin)

    joining.merge_organizations(cast.host, twin, viewer=cast.superuser, at=AT, reason="重复")

    rows = Membership.objects.filter(organization=cast.host).order_by("alliance")
    assert [(row.alliance, row.starts_on, row.ends_on) for row in rows] == [
        (cast.alliance, date(2025, 1, 1), None),
        (cast.other, date(2027, 1, 1), None),
    ]
    assert Membership.objects.filter(organization=twin).count() == 0
    assert [alias.name for alias in cast.host.aliases.all()] == [
        "天津滨海高新技术产业开发区",
        "Binhai",
    ]


def test_merge_organizations_passes_lines_on_and_names_each_host_once(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区")
    plan = make_plan(cast.alliance)
    item = make_line(plan, "对接会", hosts=(twin, cast.member, cast.host))

    joining.merge_organizations(cast.host, twin, viewer=cast.superuser, at=AT, reason="重复")

    assert [row.organization for row in item.hosts.all()] == [cast.host, cast.member]
    assert [row.position for row in item.hosts.all()] == [1, 2]


def test_merge_organizations_joins_what_both_were_asked_and_owe(cast: Cast) -> None:
    twin = make_organization("天津滨海高新技术产业开发区")
    event = make_event(cast.alliance, scheduled=True)
    _asked, again = invite_organizations(event, [cast.host, twin], viewer=cast.secretary, at=AT)
    answer_invitation(again, state="accepted", viewer=cast.secretary, at=AT)
    for organization in (cast.host, twin):
        owed = set_duty(
            event, organization, kind="send_agenda", due_at=AT, viewer=cast.secretary, at=AT
        )
    fulfil_duty(owed, viewer=cast.secretary, at=AT)

    joining.merge_organizations(cast.host, twin, viewer=cast.superuser, at=AT, reason="重复")

    invitations = {row.organization: row for row in Invitation.objects.all()}
    assert (invitations[cast.host].state, invitations[cast.host].withdrawn_at) == ("accepted", None)
    assert invitations[twin].withdrawn_at == AT
    assert [(row.organization, row.done_at) for row in Duty.objects.all()] == [(cast.host, AT)]


def test_merge_organizations_under_a_third_ones_name_is_refused_and_changes_nothing(
    cast: Cast,
) -> None:
    twin = make_organization("滨海新区")
    make_organization("塘沽园", aliases=["滨海新区"])

    with pytest.raises(InvalidInput) as refusal, transaction.atomic():
        joining.merge_organizations(cast.host, twin, viewer=cast.superuser, at=AT, reason="重复")

    assert [error.code for error in refusal.value.errors] == ["alias_names_one_organization"]
    assert Organization.objects.get(pk=twin.pk).merged_into is None


def test_revise_membership_into_another_alliance_is_refused(cast: Cast) -> None:
    membership = Membership.objects.get(organization=cast.member)

    with pytest.raises(InvalidInput) as refusal:
        joining.revise_membership(
            membership, viewer=cast.secretary, at=AT, alliance=cast.other, tier="national"
        )

    assert [error.field for error in refusal.value.errors] == ["alliance"]


def test_hand_over_seat_lasts_as_long_as_the_old_one_would_have(cast: Cast) -> None:
    person = make_person("term", role="liaison", organization=cast.member, ends_on=date(2029, 1, 1))
    seat = person.seats.get()

    new = seating.hand_over_seat(
        seat, make_person("successor"), on=AT.date(), viewer=cast.member_liaison, at=AT
    )

    assert new.ends_on == date(2029, 1, 1)
    with pytest.raises(InvalidInput):
        seating.hand_over_seat(
            new, new.person, on=date(2028, 6, 1), viewer=cast.member_liaison, at=AT
        )


def test_erase_person_who_also_sits_elsewhere_is_refused_to_a_colleague(cast: Cast) -> None:
    person = make_person("both", role="staff", body=secretariat_of(cast.alliance))
    seating.seat_person(
        person,
        role="liaison",
        organization=cast.member,
        starts_on=date(2027, 1, 1),
        viewer=cast.secretary,
        at=AT,
    )

    with pytest.raises(NotAllowed):
        seating.erase_person(person, viewer=cast.member_liaison, at=AT, reason="离任")

    assert seating.erase_person(person, viewer=cast.secretary, at=AT, reason="离任").erased_at == AT
    with pytest.raises(TransitionNotAllowed):
        seating.revise_person(person, viewer=cast.secretary, at=AT, name_zh="张三")
    with pytest.raises(TransitionNotAllowed):
        seating.seat_person(
            person,
            role="liaison",
            organization=cast.member,
            starts_on=date(2028, 2, 1),
            viewer=cast.secretary,
            at=AT,
        )


def test_erase_superuser_by_a_secretary_is_refused(cast: Cast) -> None:
    admin = User.objects.get(username="admin")
    with pytest.raises(NotAllowed):
        seating.add_person(viewer=cast.member_liaison, at=AT, user_id=admin.pk, name_zh="管理员")
    person = seating.add_person(viewer=cast.secretary, at=AT, user_id=admin.pk, name_zh="管理员")
    seating.seat_person(
        person,
        role="liaison",
        organization=cast.member,
        starts_on=date(2027, 1, 1),
        viewer=cast.secretary,
        at=AT,
    )

    with pytest.raises(NotAllowed):
        seating.erase_person(person, viewer=cast.secretary, at=AT, reason="x")

    assert User.objects.get(pk=admin.pk).is_active
