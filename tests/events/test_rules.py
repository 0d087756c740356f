from __future__ import annotations

import pytest

from coordination.changes.refusals import NotAllowed
from events import rules
from events.inviting import invite_organizations
from events.models import Duty, ReminderRule
from events.reminding import add_reminder_rule
from events.scheduling import Host
from tests.factories import AT, SYSTEM, Cast, make_event, make_plan, make_work_area


def allowed(cast: Cast, question: object) -> set[str]:
    """Return the parts of the cast for whom `question(viewer)` is true."""
    return {name for name, viewer in cast.viewers().items() if question(viewer)}  # type: ignore[operator]


def test_require_refuses_what_is_not_allowed() -> None:
    rules.require(True)
    with pytest.raises(NotAllowed):
        rules.require(False)


def test_may_draft_event_is_the_secretariats(cast: Cast) -> None:
    chosen = allowed(cast, lambda viewer: rules.may_draft_event(viewer, cast.alliance))
    assert chosen == {"superuser", "secretary"}


def test_may_manage_event_is_the_owners_secretariats(cast: Cast) -> None:
    event = make_event(cast.alliance, co_hosts=[cast.other], hosts=[Host(cast.host)])
    chosen = allowed(cast, lambda viewer: rules.may_manage_event(viewer, event))
    assert chosen == {"superuser", "secretary"}


def test_may_see_notes_is_the_owners_secretariats(cast: Cast) -> None:
    event = make_event(cast.alliance, co_hosts=[cast.other])
    chosen = allowed(cast, lambda viewer: rules.may_see_notes(viewer, event))
    assert chosen == {"superuser", "secretary"}


def test_may_see_member_details_of_a_public_event_is_for_insiders(cast: Cast) -> None:
    event = make_event(cast.alliance)
    chosen = allowed(cast, lambda viewer: rules.may_see_member_details(viewer, event))
    assert chosen == {
        "superuser", "secretary", "member_liaison", "host_liaison", "chair", "observer",
    }  # fmt: skip


def test_may_see_member_details_of_a_co_hosted_event_is_for_both_alliances(cast: Cast) -> None:
    event = make_event(cast.alliance, co_hosts=[cast.other])
    chosen = allowed(cast, lambda viewer: rules.may_see_member_details(viewer, event))
    assert chosen == set(cast.viewers()) - {"stranger", "public"}


def test_may_see_member_details_for_named_organizations_is_for_those_named(cast: Cast) -> None:
    event = make_event(
        cast.alliance, audience="organizations", hosts=[Host(cast.host)], named=[cast.outside]
    )
    chosen = allowed(cast, lambda viewer: rules.may_see_member_details(viewer, event))
    assert chosen == {"superuser", "secretary", "host_liaison", "outside_liaison"}


def test_may_attach_material_is_the_secretariats_and_the_hosts(cast: Cast) -> None:
    event = make_event(cast.alliance, hosts=[Host(cast.host), Host(name="市政府")])
    chosen = allowed(cast, lambda viewer: rules.may_attach_material(viewer, event))
    assert chosen == {"superuser", "secretary", "host_liaison"}


def test_may_answer_invitation_is_for_the_organization_asked(cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    [invitation] = invite_organizations(event, [cast.member], viewer=SYSTEM, at=AT)
    chosen = allowed(cast, lambda viewer: rules.may_answer_invitation(viewer, invitation))
    assert chosen == {"superuser", "secretary", "member_liaison"}


def test_may_fulfil_duty_is_for_the_organization_that_owes_it(cast: Cast) -> None:
    duty = Duty(event=make_event(cast.alliance), organization=cast.host, kind="send_agenda")
    chosen = allowed(cast, lambda viewer: rules.may_fulfil_duty(viewer, duty))
    assert chosen == {"superuser", "secretary", "host_liaison"}


@pytest.mark.parametrize("level", ["alliance", "plan", "work_area", "event"])
def test_may_manage_reminder_rule_is_the_secretariats_at_every_level(
    cast: Cast, level: str
) -> None:
    plan = make_plan(cast.alliance)
    owner = {
        "alliance": cast.alliance,
        "plan": plan,
        "work_area": make_work_area(plan),
        "event": make_event(cast.alliance),
    }[level]
    rule = add_reminder_rule(owner, viewer=SYSTEM, at=AT, offset="-P7D")
    chosen = allowed(cast, lambda viewer: rules.may_manage_reminder_rule(viewer, rule))
    assert chosen == {"superuser", "secretary"}
    assert rule.owner == owner


def test_owner_of_a_rule_that_stands_on_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="one thing"):
        _ = ReminderRule().owner
