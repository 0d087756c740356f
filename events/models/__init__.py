"""The nouns of events: what happens, who is asked, what is due, and who is reminded."""

from events.models.chase import Chase, ChaseStep
from events.models.duty import Duty, DutyAnchor, DutyKind, OwedBy, StandardDuty
from events.models.event import Event
from events.models.holiday import Holiday, HolidayYear
from events.models.inbound import (
    OPEN_STATES,
    InboundMailbox,
    InboundMessage,
    InboundState,
    InboundWay,
)
from events.models.invitation import Answer, AnswerState, AnswerWay, Invitation
from events.models.invitee import AnswerNames, InvitationNotice, Invitee, NoticeMethod
from events.models.material import Material, MaterialVersion, StoredFile
from events.models.parts import EventAlliance, EventHost, EventOrganization
from events.models.reminder import (
    Anchor,
    Clock,
    DayUnit,
    Reminder,
    ReminderRule,
    ReminderState,
    RepeatWhile,
    Urgency,
    WorkdaysOf,
)
from events.models.states import EventFormat, EventState

__all__ = [
    "OPEN_STATES",
    "Anchor",
    "Answer",
    "AnswerNames",
    "AnswerState",
    "AnswerWay",
    "Chase",
    "ChaseStep",
    "Clock",
    "DayUnit",
    "Duty",
    "DutyAnchor",
    "DutyKind",
    "Event",
    "EventAlliance",
    "EventFormat",
    "EventHost",
    "EventOrganization",
    "EventState",
    "Holiday",
    "HolidayYear",
    "InboundMailbox",
    "InboundMessage",
    "InboundState",
    "InboundWay",
    "Invitation",
    "InvitationNotice",
    "Invitee",
    "Material",
    "MaterialVersion",
    "NoticeMethod",
    "OwedBy",
    "Reminder",
    "ReminderRule",
    "ReminderState",
    "RepeatWhile",
    "StandardDuty",
    "StoredFile",
    "Urgency",
    "WorkdaysOf",
]
