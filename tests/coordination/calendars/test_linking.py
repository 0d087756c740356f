"""Links are made, changed, replaced and revoked by their owner alone."""

from dataclasses import replace
from datetime import date

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from alliances.models import Alliance
from alliances.seating import hand_over_seat
from coordination.accounts.enrolling import close_account, reopen_account
from coordination.accounts.erasing import erase_account
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import hash_secret, issue_token, revoke_tokens_of
from coordination.accounts.viewer import SYSTEM, Viewer
from coordination.calendars import linking
from coordination.calendars.linking import (
    SECRET,
    LinkSettings,
    issue_link,
    path_of,
    rename_link,
    replace_link,
    revise_link,
    revoke_link,
    secret_of,
)
from coordination.calendars.models import FeedLink
from coordination.changes.refusals import (
    InvalidInput,
    NotAllowed,
    StaleVersion,
    TransitionNotAllowed,
)
from tests import factories
from tests.coordination.calendars.conftest import AT
from tests.factories import (
    Cast,
    make_member,
    make_organization,
    make_person,
    make_user,
    viewer_of,
)

SETTINGS = LinkSettings(name="我的活动", language="zh-hans")


@pytest.fixture
def person(db: None) -> User:
    return make_user("reader")


@pytest.fixture
def viewer(person: User) -> Viewer:
    return viewer_of(person)


@pytest.fixture
def link(person: User, viewer: Viewer) -> FeedLink:
    return issue_link(person, SETTINGS, viewer=viewer, at=AT)


def test_issue_link_stores_the_fingerprint_of_its_secret_and_never_the_secret(
    link: FeedLink,
) -> None:
    secret = secret_of(link)

    assert SECRET.fullmatch(secret) is not None
    stored = FeedLink.objects.values().get()
    assert stored["sha256"] == hash_secret(secret)
    assert secret not in repr(stored)
    assert path_of(link) == f"/calendars/links/{secret}.ics"
    assert len(f"https://{'x' * 180}{path_of(link)}") <= 256


def test_issue_link_keeps_settings_in_one_form(
    person: User, viewer: Viewer, alliance: Alliance
) -> None:
    wanted = LinkSettings(
        name="  两\n个  空格 ",
        language="en",
        parameters={"q": "", "mine": "1", "alliance": "jjj"},
        alarms=[15, 1440, 15],
        days_only=True,
        with_windows=True,
    )

    link = issue_link(person, wanted, viewer=viewer, at=AT)

    assert LinkSettings.of(FeedLink.objects.get()) == LinkSettings(
        name="两 个 空格",
        language="en",
        parameters={"alliance": "jjj", "mine": "1"},
        alarms=[1440, 15],
        days_only=True,
        with_windows=True,
    )
    assert (link.version, link.created_at, link.revoked_at) == (1, AT, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "长" * 101}, "name"),
        ({"language": "de"}, "language"),
        ({"alarms": [-1]}, "alarms"),
        ({"alarms": [60 * 24 * 60 + 1]}, "alarms"),
        ({"alarms": [1, 2, 3, 4, 5, 6]}, "alarms"),
        ({"parameters": {"colour": "red"}}, "filters.colour"),
        ({"parameters": {"plan": "x"}}, "filters.plan"),
        ({"parameters": {"from": "2026-12-31", "to": "2026-01-01"}}, "filters.to"),
        ({"parameters": {"from": "2026-12-31", "to": "2026-12-31"}}, "filters.to"),
    ],
)
def test_issue_link_with_what_cannot_be_taken_is_refused(
    person: User, viewer: Viewer, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        issue_link(person, replace(SETTINGS, **changes), viewer=viewer, at=AT)

    assert [error.field for error in refused.value.errors] == [field]
    assert not FeedLink.objects.exists()


def test_issue_link_beyond_the_limit_is_refused_until_one_is_revoked(
    person: User, viewer: Viewer, link: FeedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "MOST_LINKS", 2)
    issue_link(person, SETTINGS, viewer=viewer, at=AT)

    with pytest.raises(TransitionNotAllowed):
        issue_link(person, SETTINGS, viewer=viewer, at=AT)

    revoke_link(link, viewer=viewer, at=AT)
    issue_link(person, SETTINGS, viewer=viewer, at=AT)
    assert FeedLink.objects.filter(revoked_at=None).count() == 2


def test_link_of_somebody_else_is_out_of_reach_even_for_a_superuser(link: FeedLink) -> None:
    other = viewer_of(make_user("admin", is_superuser=True))

    with pytest.raises(NotAllowed):
        issue_link(link.user, SETTINGS, viewer=other, at=AT)
    for verb in (replace_link, revoke_link):
        with pytest.raises(NotAllowed):
            verb(link, viewer=other, at=AT)
    with pytest.raises(NotAllowed):
        rename_link(link, "x", viewer=other, at=AT)
    assert FeedLink.objects.values_list("name", "generation", "revoked_at").get() == (
        "我的活动",
        1,
        None,
    )


def test_issue_link_by_a_token_that_does_not_name_itself_is_refused(person: User) -> None:
    viewer = replace(viewer_of(person), token_scopes=frozenset({"*:*"}))

    with pytest.raises(NotAllowed):
        issue_link(person, SETTINGS, viewer=viewer, at=AT)


def test_rename_link_keeps_the_address_and_raises_the_version(
    link: FeedLink, viewer: Viewer
) -> None:
    path = path_of(link)

    rename_link(link, "新名", viewer=viewer, at=AT)

    assert (link.name, link.version, path_of(link)) == ("新名", 2, path)


def test_revise_link_to_what_it_is_already_changes_nothing(link: FeedLink, viewer: Viewer) -> None:
    revise_link(link, SETTINGS, viewer=viewer, at=AT)

    assert link.version == 1


def test_revise_link_that_somebody_changed_or_revoked_is_refused(
    link: FeedLink, viewer: Viewer
) -> None:
    mine = FeedLink.objects.get()
    rename_link(link, "先", viewer=viewer, at=AT)

    with pytest.raises(StaleVersion) as refused:
        rename_link(mine, "后", viewer=viewer, at=AT)
    assert refused.value.current.name == "先"

    revoke_link(link, viewer=viewer, at=AT)
    with pytest.raises(StaleVersion):
        replace_link(link, viewer=viewer, at=AT)
    assert FeedLink.objects.get().name == "先"


def test_replace_link_gives_a_new_secret_and_forgets_who_fetched(
    link: FeedLink, viewer: Viewer
) -> None:
    FeedLink.objects.update(last_fetched_at=AT, last_program="ICSx5")
    old = secret_of(link)

    replace_link(link, viewer=viewer, at=AT)

    assert secret_of(link) != old
    assert link.sha256 == hash_secret(secret_of(link))
    assert (link.last_fetched_at, link.last_program) == (None, "")


def test_address_cannot_be_told_after_the_installation_changed_its_key(link: FeedLink) -> None:
    with override_settings(SECRET_KEY=f"{django_settings.SECRET_KEY}x"):
        assert path_of(link) == ""

    assert path_of(link) != ""


def test_revoke_tokens_of_a_person_ends_their_links_and_nobody_elses(
    link: FeedLink, person: User
) -> None:
    other = issue_link(make_user("other"), SETTINGS, viewer=SYSTEM, at=AT)
    issue_token(person, name="x", viewer=SYSTEM, at=AT)

    assert revoke_tokens_of(person, viewer=SYSTEM, at=AT) == 2

    assert list(FeedLink.objects.filter(revoked_at=None)) == [other]
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_hand_over_of_a_seat_ends_the_predecessors_links(cast: Cast) -> None:
    zone = make_organization("唐山高新区")
    make_member(cast.alliance, zone)
    leaving = make_person("zhang", role="liaison", organization=zone)
    assert leaving.user is not None
    link = issue_link(leaving.user, SETTINGS, viewer=SYSTEM, at=AT)

    hand_over_seat(
        leaving.seats.get(),
        make_person("wang"),
        on=date(2028, 1, 10),
        viewer=SYSTEM,
        at=factories.AT,
    )

    link.refresh_from_db()
    assert link.revoked_at is not None


def test_erase_account_ends_its_links(link: FeedLink, person: User) -> None:
    erase_account(person, at=AT)

    assert FeedLink.objects.filter(revoked_at=None).count() == 0


def test_close_account_ends_its_links_and_reopen_leaves_them_ended(
    link: FeedLink, person: User
) -> None:
    close_account(person, viewer=SYSTEM, at=AT)
    reopen_account(person, viewer=SYSTEM)

    assert FeedLink.objects.filter(revoked_at=None).count() == 0
