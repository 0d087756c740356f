"""Every list surface, and how rows of it are made: for query counts and for who sees what.

`API_LISTS` is found in the addresses themselves, so that no list can be forgotten: one without a
maker in `MAKERS` fails the tests that walk them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from alliances.joining import appoint_chair
from alliances.models import Body, Person, Plan
from alliances.planning import adopt_plan
from coordination.accounts.models import User
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.linking import LinkSettings, issue_link
from coordination.calendars.models import FeedLink
from coordination.calendars.webhook_owners import make_webhook
from coordination.deliveries.bundling import bundle_due
from coordination.deliveries.fanout import Cause, enqueue
from coordination.deliveries.models import Endpoint, InboxItem, Message, Subscription
from coordination.deliveries.own_api.robot_views import RobotListView
from coordination.deliveries.own_api.views import InboxView
from events.api.telling import OneEventView
from events.chasing import add_chase_step, add_standard_duty
from events.concluding import attach_material
from events.inviting import answer_invitation, invite_organizations
from events.models import Event, HolidayYear, InboundMessage, Reminder
from events.models.inbound import OPEN_STATES
from events.owing import set_duty
from events.reminding import add_reminder_rule
from events.scheduling import Host, revise_event
from events.telling import Reminders
from tests.factories import (
    AT,
    MORNING,
    Cast,
    make_alliance,
    make_body,
    make_event,
    make_line,
    make_member,
    make_organization,
    make_person,
    make_plan,
    make_work_area,
    window,
)


@dataclass
class Stage:
    """What the rows of nested lists stand under.

    Attributes:
        names: counts names given out, so that no two are the same.
    """

    cast: Cast
    plan: Plan
    event: Event
    council: Body
    names: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    def kwargs(self) -> dict[str, Any]:
        """Return the values for the converters in addresses."""
        return {"plan_uid": self.plan.uid, "event_uid": self.event.uid, "uid": self.event.uid}


def set_stage(cast: Cast) -> Stage:
    """Make a published plan with an area and a line, and an event with everything in it."""
    plan = make_plan(cast.alliance, state="published")
    area = make_work_area(plan)
    event = make_event(
        cast.alliance, work_area=area, hosts=[Host(cast.host)], co_hosts=[cast.other],
        named=[cast.member], scheduled=True,
    )  # fmt: skip
    return Stage(cast, plan, event, make_body(cast.alliance, kind="expert_committee"))


def add_event(stage: Stage) -> None:
    area = make_work_area(stage.plan, f"方面{next(stage.names)}")
    host = make_organization(f"主办{next(stage.names)}")
    make_event(
        stage.cast.alliance, work_area=area, hosts=[Host(host)], co_hosts=[stage.cast.other],
        named=[host], scheduled=True,
    )  # fmt: skip


def add_line(stage: Stage) -> None:
    area = make_work_area(stage.plan, f"方面{next(stage.names)}")
    host = make_organization(f"主办{next(stage.names)}")
    month = window("2028-05-01", "2028-05-31", "month")
    make_line(
        stage.plan, f"事项{next(stage.names)}", month, hosts=(host,), work_area=area, reason="增补"
    )


def add_edition(stage: Stage) -> None:
    add_line(stage)
    stage.plan.refresh_from_db()
    adopt_plan(stage.plan, on=AT.date(), viewer=SYSTEM, at=AT, reason="增补")


def add_member(stage: Stage) -> None:
    organization = make_organization(
        f"成员{next(stage.names)}", aliases=[f"别名{next(stage.names)}"]
    )
    make_member(stage.cast.alliance, organization)


def add_chair_term(stage: Stage) -> None:
    first = date(2000, 1, 1) + timedelta(days=next(stage.names))
    appoint_chair(
        stage.council, stage.cast.host, viewer=SYSTEM, at=AT, starts_on=first,
        ends_on=first + timedelta(days=1),
    )  # fmt: skip


def add_seat(stage: Stage) -> None:
    organization = make_organization(f"席位{next(stage.names)}")
    make_member(stage.cast.alliance, organization)
    make_person(f"person{next(stage.names)}", role="liaison", organization=organization)


def add_material(stage: Stage) -> None:
    content = f"{next(stage.names)}".encode()
    attach_material(
        stage.event, title="材料", file_name="a.txt", content=content, openness="public",
        viewer=SYSTEM, at=AT,
    )  # fmt: skip


def add_invitation(stage: Stage) -> None:
    organization = make_organization(f"受邀{next(stage.names)}")
    [invitation] = invite_organizations(stage.event, [organization], viewer=SYSTEM, at=AT)
    answer_invitation(invitation, state="accepted", viewer=SYSTEM, at=AT)


def add_duty(stage: Stage) -> None:
    organization = make_organization(f"承担{next(stage.names)}")
    set_duty(stage.event, organization, kind="send_agenda", due_at=AT, viewer=SYSTEM, at=AT)


def add_standard(stage: Stage) -> None:
    add_standard_duty(
        stage.cast.alliance, kind="send_agenda", event_type=f"类型{next(stage.names)}",
        offset="-P7D", viewer=SYSTEM, at=AT,
    )  # fmt: skip


def add_step(stage: Stage) -> None:
    add_chase_step(stage.cast.alliance, offset="P1D", told=["deputy"], viewer=SYSTEM, at=AT)


def add_rule(stage: Stage) -> None:
    add_reminder_rule(stage.event, viewer=SYSTEM, at=AT, offset="-P7D", audience=["hosts"])


def add_delivery(stage: Stage) -> None:
    add_rule(stage)
    while Reminders().fire_next(MORNING.starts_at - timedelta(days=7, hours=-1)):
        pass
    assert not Reminder.objects.filter(state="pending").exists()


def add_message(stage: Stage) -> Message:
    """Make a message about the event to somebody who may see nothing here."""
    person = make_person(f"reader{next(stage.names)}")
    key = f"notice:{next(stage.names)}"
    cause = Cause(
        key, "1", due_at=AT, send_after=AT, about_type="events.event", about_uid=stage.event.uid
    )
    enqueue([f"person:{person.uid}"], channel="email", cause=cause)
    bundle_due(AT)
    return Message.objects.latest("pk")


def add_change(stage: Stage) -> None:
    revise_event(stage.event, viewer=SYSTEM, at=AT, title_en=f"Title {next(stage.names)}")


def add_link(stage: Stage) -> FeedLink:
    """Make a private link of the secretary's."""
    owner = User.objects.get(pk=stage.cast.secretary.user_id)
    settings = LinkSettings(name=f"日历{next(stage.names)}", language="zh-hans")
    return issue_link(owner, settings, viewer=SYSTEM, at=AT)


def add_webhook(stage: Stage) -> Subscription:
    """Make a webhook of the secretariat's."""
    return make_webhook(
        f"alliance:{stage.cast.alliance.slug}",
        name=f"钩子{next(stage.names)}",
        url="https://hooks.example.org/",
        viewer=SYSTEM,
        at=AT,
    ).subscription


def add_inbox_item(stage: Stage) -> InboxItem:
    """Put a message into the secretary's inbox."""
    person = Person.objects.get(user=stage.cast.secretary.user_id)
    return InboxItem.objects.create(
        recipient=f"person:{person.uid}", message_uid=uuid4(), news="reminders", subject="提醒",
        language="zh-hans", created_at=AT,
    )  # fmt: skip


def add_robot(stage: Stage) -> Endpoint:
    """Make a robot of the alliance's; as rows, for the verb lets one owner have ten."""
    number = next(stage.names)
    return Endpoint.objects.create(
        channel="wecom", owner=f"alliance:{stage.cast.alliance.uid}", name=f"群{number}",
        address=f"https://127.0.0.1:9/{number}", secret="good-key-0001",
    )  # fmt: skip


def add_failing_endpoint(stage: Stage) -> Endpoint:
    endpoint = add_message(stage).endpoint
    endpoint.disabled_at, endpoint.disabled_reason = AT, "gone"
    endpoint.save()
    return endpoint


def add_inbound(stage: Stage) -> None:
    add_invitation(stage)
    invitation = stage.event.invitations.latest("pk")
    InboundMessage.objects.create(
        digest=f"{next(stage.names)}", way="api", state=OPEN_STATES[0], received_at=AT,
        sender="a@example.org", subject="Re", invitation=invitation,
    )  # fmt: skip


def add_holidays(stage: Stage) -> None:
    HolidayYear.objects.create(country="CN", year=2050 + next(stage.names), taken_at=AT)


Maker = Callable[[Stage], Any]
OWN_LISTS = (OneEventView, InboxView, RobotListView)
WHOLE = {"api-robots"}  # lists that have no pages: their rows are few
"""Views that answer a list and are no viewset."""
MAKERS: dict[str, Maker] = {
    "api-alliance-list": lambda stage: make_alliance(f"alliance-{next(stage.names)}"),
    "api-body-list": lambda stage: make_body(stage.cast.alliance, kind="other"),
    "api-organization-list": add_member,
    "api-membership-list": add_member,
    "api-chair-term-list": add_chair_term,
    "api-person-list": add_seat,
    "api-seat-list": add_seat,
    "api-plan-list": lambda stage: make_plan(stage.cast.alliance, year=2030 + next(stage.names)),
    "api-work-area-list": lambda stage: make_work_area(stage.plan, f"方面{next(stage.names)}"),
    "api-plan-item-list": add_line,
    "api-edition-list": add_edition,
    "api-event-list": add_event,
    "api-material-list": add_material,
    "api-invitation-list": add_invitation,
    "api-duty-list": add_duty,
    "api-reminder-rule-list": add_rule,
    "api-owed-list": add_duty,
    "api-standard-duty-list": add_standard,
    "api-chase-step-list": add_step,
    "api-feed-link-list": add_link,
    "api-webhook-list": add_webhook,
    "api-ledger": add_message,
    "api-ledger-endpoints": add_failing_endpoint,
    "api-inbox": add_inbox_item,
    "api-robots": add_robot,
    "api-event-history": add_change,
    "api-event-reminders": add_rule,
    "api-event-deliveries": add_delivery,
}


def patterns(found: list[Any], route: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the installation with its full route."""
    for one in found:
        here = route + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, here)
        else:
            yield here, one


def api_lists() -> list[str]:
    """Return the names of the addresses of every list of the API."""
    names = []
    for route, pattern in patterns(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None) or getattr(
            pattern.callback, "view_class", None
        )
        actions = getattr(pattern.callback, "actions", None) or {}
        is_list = actions.get("get") == "list"
        is_list = is_list or (isinstance(view, type) and issubclass(view, OWN_LISTS))
        if route.startswith("api/v1/") and route.endswith("/") and is_list:
            names.append(str(pattern.name))
    return names


def address_of(name: str, stage: Stage) -> str:
    """Return the address of a list, with what its route needs."""
    [route] = {
        route for route, pattern in patterns(get_resolver().url_patterns)
        if pattern.name == name and route.endswith("/")
    }  # fmt: skip
    kwargs = {key: value for key, value in stage.kwargs().items() if f":{key}>" in route}
    return reverse(name, kwargs=kwargs)


PAGES: dict[str, Maker] = {
    "/": add_event,
    "/events/": add_event,
    "/calendar/?month=2028-05": add_event,
    "/alliances/": MAKERS["api-alliance-list"],
    "/alliances/jjj/": add_member,
    "/alliances/jjj/plans/2028/": add_line,
    "/members/": add_member,
    "/plans/": MAKERS["api-plan-list"],
    "/reminders/": add_rule,
    "/owed/": add_duty,
    "/owed/jjj/": add_step,
    "/holidays/": add_holidays,
    "/changes/": add_change,
    "/inbox/": add_inbox_item,
    "/robots/": add_robot,
    "/inbound-mail/": add_inbound,
    "/ledger/": add_message,
    "/ledger/health/": add_failing_endpoint,
    "/connect/": add_link,
    "/connect/webhooks/": add_webhook,
    "/events/{event}/": add_invitation,
    "/events/{event}/answers/": add_invitation,
    "/history/{event}/": add_change,
    "/reminders/events/{event}/": add_rule,
}
