"""PUT and DELETE: what a calendar program sends becomes verbs, or one clear sentence.

Nothing is stored as it came: the event is, and its text is rendered from it. So an answer to PUT
never carries an entity tag (RFC 4791 section 5.3.4), and programs fetch what stands there now.
What the headers announce is looked at first, then conditions, then the body, and only then is
anything done.
"""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from coordination.accounts.models import User
from coordination.accounts.viewer import Viewer
from coordination.calendars.caldav import xml
from coordination.calendars.caldav.conditions import CHANGED, check_conditions
from coordination.calendars.caldav.duties import duty_name
from coordination.calendars.caldav.objects import CalendarObject
from coordination.calendars.caldav.resources import Collection, object_path
from coordination.calendars.caldav.xml import Refused
from coordination.calendars.whole_events import event_named
from coordination.changes.refusals import (
    FieldError,
    InvalidInput,
    NotAllowed,
    StaleVersion,
    TransitionNotAllowed,
)
from coordination.rest.preconditions import versions_in
from events.calendar_reading import EVENT, TASK, ProposedObject, read_object
from events.calendar_times import Fault, UnreadableObject
from events.models import Duty, Event
from events.scheduling import discard_event
from events.taking import ONLY_TICKED_OFF, NotTaken, take_duty, take_event, take_new_event

NAME_LENGTH: Final = 255  # of the column
MEDIA_TYPES: Final = ("", "text/calendar")
DATA: Final = "<C:valid-calendar-data/>"
OBJECT: Final = "<C:valid-calendar-object-resource/>"
COMPONENT: Final = "<C:supported-calendar-component/>"
UNNAMED: Final = ("max_length", "unkeepable_character", "date_out_of_range")
FORMAT: Final = "<C:supported-calendar-data/>"
SIZE: Final = "<C:max-resource-size/>"
NAME: Final = "<D:name-allowed/>"
BROKEN_OCTET: Final = re.compile("%[89A-F][0-9A-F]")
NOT_HERE: Final = _(
    "Events are entered and changed in the calendar of the alliance that holds them, "
    "by its secretariat."
)
FAULTS: Final[dict[Fault, tuple[str, str | Promise]]] = {
    Fault.MALFORMED: (DATA, _("This is no iCalendar text in UTF-8 that can be read.")),
    Fault.NOT_ONE_CALENDAR: (DATA, _("Send one VCALENDAR, and nothing beside it.")),
    Fault.WRONG_VERSION: (DATA, _("Only iCalendar 2.0 is taken.")),
    Fault.METHOD: (
        OBJECT,
        _("A calendar object carries no METHOD. Invitations are sent from the event's page."),
    ),
    Fault.NOT_ONE_OBJECT: (
        OBJECT,
        _("Send one event at a time: each event has an address of its own."),
    ),
    Fault.WRONG_COMPONENT: (COMPONENT, _("Only events are kept in this calendar: “%s” is not.")),
    Fault.NO_UID: (OBJECT, _("The event has no UID, by which it is known everywhere.")),
    Fault.LONG_UID: (OBJECT, _("The UID is too long: at most 255 characters.")),
    Fault.TWICE: (DATA, _("“%s” stands there twice. Once is enough.")),
    Fault.REPEATING: (
        OBJECT,
        _(
            "Repeating events are not taken (%s): each one is planned and held on its own. "
            "Enter them one by one."
        ),
    ),
    Fault.NO_TIME: (OBJECT, _("The event has no beginning. Say when it starts.")),
    Fault.BAD_TIME: (DATA, _("This is no possible time: “%s”.")),
    Fault.UNKNOWN_ZONE: (
        DATA,
        _("The time zone “%s” is not known. Choose a city's, such as Asia/Shanghai."),
    ),
    Fault.BAD_PLACE: (DATA, _("These are no coordinates: “%s”.")),
}


def put(request: HttpRequest, viewer: Viewer, collection: Collection, name: str) -> HttpResponse:
    """Take an object: change the event there, make a new one, or tick off a duty.

    Args:
        request: with the object as its body.
        viewer: who puts it.
        collection: where to.
        name: the last part of its address, decoded.

    Raises:
        Refused, Refusal: why not; nothing was changed.
    """
    at = timezone.now()
    _check_form(request)
    stored = collection.object_named(name)
    check_conditions(request, stored)
    octets = _calendar_octets(request)
    try:
        if stored is None:
            return _put_new(request, octets, viewer, collection, name, at)
        if stored.component == TASK:
            return _put_duty(octets, viewer, collection, stored, at)
        return _put_event(octets, viewer, collection, stored, at)
    except UnreadableObject as error:
        raise _refused(error) from error
    except NotTaken as error:
        raise Refused(HTTPStatus.FORBIDDEN, OBJECT, error.message) from error
    except TransitionNotAllowed as error:
        raise Refused(HTTPStatus.CONFLICT, "", error.message) from error
    except StaleVersion as error:
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "", CHANGED) from error
    except InvalidInput as error:
        raise _refused_input(error) from error


def delete(request: HttpRequest, viewer: Viewer, collection: Collection, name: str) -> HttpResponse:
    """Delete a draft; anything that people may know of is cancelled instead.

    Raises:
        Refused, Refusal: why not.
    """
    stored = collection.object_named(name)
    check_conditions(request, stored)
    if stored is not None and stored.component == TASK:
        sentence = _("A task is ticked off, not deleted. The secretariat sets what is owed.")
        raise Refused(HTTPStatus.FORBIDDEN, "", sentence)
    if stored is not None and not collection.may_write:
        raise NotAllowed(NOT_HERE)
    event = _event_at(viewer, collection, name)
    if event is None or (stored is None and event.alliance != collection.alliance):
        raise Refused(HTTPStatus.NOT_FOUND, "", _("There is nothing at this address."))
    try:
        discard_event(event, viewer=viewer, at=timezone.now())
    except TransitionNotAllowed as error:
        raise Refused(HTTPStatus.FORBIDDEN, "", _way_out(event)) from error
    except StaleVersion as error:
        raise Refused(HTTPStatus.PRECONDITION_FAILED, "", CHANGED) from error
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _check_form(request: HttpRequest) -> None:
    """See that the headers announce a whole object in a form that is taken.

    Conditions count only where the request could be done (RFC 9110 section 13.2.1), so this comes
    before them.

    Raises:
        Refused: it is not iCalendar in UTF-8 as it is (415), or a part (400, RFC 9110 section
            14.5).
    """
    charset = (request.content_params or {}).get("charset", "utf-8").strip('"').lower()
    if (request.content_type or "").lower() not in MEDIA_TYPES or charset not in ("utf-8", "utf8"):
        sentence = _("Calendar objects are sent as text/calendar in UTF-8.")
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, FORMAT, sentence)
    xml.check_coding(request)
    if "Content-Range" in request.headers:
        sentence = _("Send the whole calendar object at once, not a part of it.")
        raise Refused(HTTPStatus.BAD_REQUEST, "", sentence)


def _calendar_octets(request: HttpRequest) -> bytes:
    """Return the body.

    Raises:
        Refused: it is too large (413).
    """
    try:
        return xml.read_octets(request)
    except Refused as error:
        sentence = _("The event is too large. Leave pictures and attachments out.")
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, SIZE, sentence) from error


def _put_event(
    octets: bytes,
    viewer: Viewer,
    collection: Collection,
    stored: CalendarObject,
    at: datetime,
) -> HttpResponse:
    """Do to an event what was changed in its entry."""
    if not collection.may_write:
        raise NotAllowed(NOT_HERE)
    body = stored.body().encode()
    if octets == body:
        return _done()
    event = _event_at(viewer, collection, stored.name)
    if event is None or event.version not in versions_in(stored.etag):
        raise StaleVersion
    shown = read_object(body, home_zone=event.time_zone)
    wanted = _own(read_object(octets, home_zone=event.time_zone), viewer)
    _check_same_object(shown, wanted, object_path(collection, stored.name))
    take_event(event, shown=shown, wanted=wanted, viewer=viewer, at=at)
    return _done()


def _put_new(
    request: HttpRequest,
    octets: bytes,
    viewer: Viewer,
    collection: Collection,
    name: str,
    at: datetime,
) -> HttpResponse:
    """Make an event, under the name and UID that the program gave it.

    Whoever finds that another program was faster is told so by the condition they sent.
    """
    alliance = collection.alliance
    if alliance is None or not collection.may_write:
        raise NotAllowed(NOT_HERE)
    _check_name(name)
    wanted = _own(read_object(octets, home_zone=alliance.time_zone), viewer)
    if wanted.component != EVENT:
        raise UnreadableObject(Fault.WRONG_COMPONENT, wanted.component)
    try:
        _check_new(wanted.uid, viewer, collection, name)
        take_new_event(alliance, name=name, wanted=wanted, viewer=viewer, at=at)
    except (Refused, InvalidInput):
        check_conditions(request, collection.object_named(name))
        raise
    return HttpResponse(status=HTTPStatus.CREATED)


def _check_name(name: str) -> None:
    """See that an event can be listed under a name (RFC 5842 section 4, DAV:name-allowed).

    Octets that are no UTF-8 come as percent signs with two digits, as Django decodes a path.

    Raises:
        Refused: it cannot.
    """
    if BROKEN_OCTET.search(name):
        sentence = _("The name in this address is not UTF-8. Give the event another name there.")
        raise Refused(HTTPStatus.FORBIDDEN, NAME, sentence)
    is_taken = duty_name(name) is not None or name in (".", "..")
    if len(name) > NAME_LENGTH or is_taken or "/" in name:
        raise Refused(HTTPStatus.FORBIDDEN, NAME, _("An event cannot have this address."))


def _put_duty(
    octets: bytes, viewer: Viewer, collection: Collection, stored: CalendarObject, at: datetime
) -> HttpResponse:
    """Tick a duty off."""
    if not viewer.may_use("events", "write"):
        raise NotAllowed(_("This app password may only read. Make one that may also write."))
    body = stored.body().encode()
    duty = Duty.objects.visible_to(viewer).filter(uid=duty_name(stored.name))
    found = duty.select_related("event", "organization").first()
    if found is None:
        raise StaleVersion
    zone = found.organization.time_zone
    shown, wanted = read_object(body, home_zone=zone), read_object(octets, home_zone=zone)
    _check_same_object(shown, wanted, object_path(collection, stored.name))
    take_duty(found, shown=shown, wanted=wanted, viewer=viewer, at=at)
    return _done()


def _done() -> HttpResponse:
    """Say that it is done, without a tag: what stands there now is not what was sent."""
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _event_at(viewer: Viewer, collection: Collection, name: str) -> Event | None:
    """Return the event at an address, also one without a time, which has no entry."""
    if collection.alliance is None:
        return None
    return event_named(name, viewer)


def _own(wanted: ProposedObject, viewer: Viewer) -> ProposedObject:
    """Return the object without its sender among the people named: programs add their owner."""
    if not wanted.attendees:
        return wanted
    sender = User.objects.filter(pk=viewer.user_id or 0).values_list("email", flat=True).first()
    return wanted.without_attendee(sender or "")


def _check_same_object(shown: ProposedObject, wanted: ProposedObject, path: str) -> None:
    """See that the object at an address stays what it is (RFC 4791 section 5.3.2.1)."""
    if wanted.component != shown.component:
        if shown.component != EVENT:
            raise NotTaken(ONLY_TICKED_OFF)
        raise UnreadableObject(Fault.WRONG_COMPONENT, wanted.component)
    if wanted.uid != shown.uid:
        sentence = _(
            "Another event stands at this address. Give the new one an address of its own."
        )
        raise Refused(HTTPStatus.CONFLICT, _uid_conflict(path), sentence)


def _check_new(uid: str, viewer: Viewer, collection: Collection, name: str) -> None:
    """See that neither UID nor name is used; an address is told only of what is visible."""
    same = Q(ical_uid=uid) | Q(dav_name=name)
    if not Event.objects.filter(same).exists():
        return
    known = Event.objects.visible_to(viewer).filter(same).order_by("pk").first()
    if known is None:
        raise _taken("")
    if known.starts_wall is None and known.previous_starts_wall is None:
        sentence = format_lazy(
            "{words} {page}",
            words=_("This event stands in the plan without a time. Set its time on its page:"),
            page=_page_of(known),
        )
        raise Refused(HTTPStatus.CONFLICT, _uid_conflict(""), sentence)
    is_here = collection.alliance is not None and known.alliance_id == collection.alliance.pk
    raise _taken(object_path(collection, known.dav_name) if is_here else "")


def _taken(path: str) -> Refused:
    """Return the refusal of a UID or an address that is used."""
    sentence = _("There is an event with this UID or at this address already.")
    return Refused(HTTPStatus.CONFLICT, _uid_conflict(path), sentence)


def _uid_conflict(path: str) -> str:
    """Return the precondition, with the address of the other object where it may be told."""
    return xml.element("C:no-uid-conflict", xml.href(path) if path else "")


def _refused(error: UnreadableObject) -> Refused:
    """Return the refusal of an object that cannot be taken."""
    condition, words = FAULTS[error.fault]
    sentence = words % error.quoted if "%s" in str(words) else words
    return Refused(HTTPStatus.FORBIDDEN, condition, sentence)


def _refused_input(error: InvalidInput) -> Refused:
    """Return the refusal of values that a verb does not take."""
    if {field.code for field in error.errors} == {"unique"}:
        return _taken("")
    sentence = " ".join(map(_said_of_a_field, error.errors))
    return Refused(HTTPStatus.FORBIDDEN, OBJECT, sentence)


def _said_of_a_field(error: FieldError) -> str:
    """Return a sentence about a value, with the value's name where the sentence has none."""
    names = {column.name: column.verbose_name for column in Event._meta.concrete_fields}
    if error.code not in UNNAMED or error.field not in names:
        return str(error.message)
    return f"{names[error.field]}: {error.message}"


def _way_out(event: Event) -> str | Promise:
    """Return how to call an event off that cannot be deleted."""
    return format_lazy(
        "{words} {page}",
        words=_(
            "An event that has a time is not deleted but cancelled, so that everybody hears of "
            "it: set its status to cancelled in your calendar, or cancel it on its page:"
        ),
        page=_page_of(event),
    )


def _page_of(event: Event) -> str:
    """Return the address of an event's page."""
    return f"{settings.COORDINATION_BASE_URL}/events/{event.uid}/"
