"""The nouns of events: what happens, who is asked, what is due, and who is reminded."""

from events.models.duty import Duty, DutyKind
from events.models.event import Event
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
from events.models.reminder import Anchor, Reminder, ReminderRule, ReminderState
from events.models.states import EventFormat, EventState

__all__ = [
    "OPEN_STATES",
    "Anchor",
    "Answer",
    "AnswerNames",
    "AnswerState",
    "AnswerWay",
    "Duty",
    "DutyKind",
    "Event",
    "EventAlliance",
    "EventFormat",
    "EventHost",
    "EventOrganization",
    "EventState",
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
    "Reminder",
    "ReminderRule",
    "ReminderState",
    "StoredFile",
]
