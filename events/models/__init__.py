"""The nouns of events: what happens, who is asked, what is due, and who is reminded."""

from events.models.duty import Duty, DutyKind
from events.models.event import Event
from events.models.invitation import Answer, AnswerState, Invitation
from events.models.material import Material, MaterialVersion, StoredFile
from events.models.parts import EventAlliance, EventHost, EventOrganization
from events.models.reminder import Anchor, Reminder, ReminderRule, ReminderState
from events.models.states import EventFormat, EventState

__all__ = [
    "Anchor",
    "Answer",
    "AnswerState",
    "Duty",
    "DutyKind",
    "Event",
    "EventAlliance",
    "EventFormat",
    "EventHost",
    "EventOrganization",
    "EventState",
    "Invitation",
    "Material",
    "MaterialVersion",
    "Reminder",
    "ReminderRule",
    "ReminderState",
    "StoredFile",
]
