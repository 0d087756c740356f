"""What is remembered is what would be answered anew, and nothing outlives what it depends on."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from alliances.seating import seat_person
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import revoke_token
from coordination.accounts.viewer import SYSTEM
from coordination.calendars.caldav.polls import CAPACITY, Memory, memory
from coordination.calendars.short_path import ShortPath
from events.scheduling import revise_event
from tests.conftest import NOW
from tests.coordination.calendars.caldav.conftest import DECLARED, Phone
from tests.factories import AT, Cast, make_event, secretariat_of

LISTING = (
    f"<D:propfind {DECLARED}><D:prop><D:displayname/><D:getetag/><D:sync-token/></D:prop>"
    "</D:propfind>"
)
SYNC = (
    f"<D:sync-collection {DECLARED}><D:sync-token/><D:sync-level>1</D:sync-level>"
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)


class Told(NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    body: bytes


Ask = Callable[..., Told]


@pytest.fixture
def ask(phone: Phone) -> Iterator[Ask]:
    """Ask as the phone does, by the way that every request takes."""
    signals = (request_started, request_finished)
    memory.clear()
    application = ShortPath(get_wsgi_application())

    def one(body: str = LISTING, path: str = "jjj/", method: str = "PROPFIND", **more: str) -> Told:
        for signal in signals:  # the test's own connection stays open
            signal.disconnect(close_old_connections)
        told: dict[str, Any] = {}
        octets = body.encode()
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": phone.home + path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(octets),
            "CONTENT_TYPE": "application/xml",
            "CONTENT_LENGTH": str(len(octets)),
            "HTTP_DEPTH": "1",
            "HTTP_AUTHORIZATION": phone.authorization,
        } | more

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
            told.update(status=status, headers=headers)

        answer = application(environ, start_response)
        return Told(told["status"], told["headers"], b"".join(answer))

    one()  # the hour of the app password's use is noted by now
    yield one
    memory.clear()
    for signal in signals:
        signal.connect(close_old_connections)


def queries(ask: Ask, *args: str, **more: str) -> int:
    with CaptureQueriesContext(connection) as context:
        ask(*args, **more)
    return len(context)


@pytest.mark.parametrize(
    ("method", "body"), [("PROPFIND", LISTING), ("PROPFIND", ""), ("REPORT", SYNC)]
)
def test_remembered_answer_is_the_answer_header_by_header(
    method: str, body: str, ask: Ask, cast: Cast
) -> None:
    make_event(cast.alliance, scheduled=True)
    first = ask(body, method=method)
    with CaptureQueriesContext(connection) as context:
        again = ask(body, method=method)

    assert first.status == again.status == "207 Multi-Status"
    assert sorted(first.headers) == sorted(again.headers)
    assert first.body == again.body
    assert len(context) == 3


def test_poll_costs_three_queries_however_much_there_is(ask: Ask, cast: Cast) -> None:
    for number in range(12):
        make_event(cast.alliance, scheduled=True, title_zh=f"活动{number}")
    ask()

    assert queries(ask) == 3


@pytest.mark.parametrize("has_it", [False, True])
def test_get_is_remembered_header_by_header_until_the_event_changes(
    has_it: bool, ask: Ask, cast: Cast
) -> None:
    event = make_event(cast.alliance, scheduled=True)
    path = f"jjj/{event.dav_name}"
    tag = dict(ask("", path, "GET").headers)["ETag"]
    more = {"HTTP_IF_NONE_MATCH": tag} if has_it else {}
    first = ask("", path, "GET", **more)
    with CaptureQueriesContext(connection) as context:
        again = ask("", path, "GET", **more)
        asked = len(context)
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    after = ask("", path, "GET", **more)

    assert first.status == again.status == ("304 Not Modified" if has_it else "200 OK")
    assert sorted(first.headers) == sorted(again.headers)
    assert first.body == again.body
    assert asked == 3
    assert after.status == "200 OK"
    assert "新名称" in after.body.decode()


def test_change_that_concerns_only_others_leaves_answers_as_they_are(ask: Ask, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True, audience="secretariat")
    ask()
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")

    assert queries(ask) == 3


def test_change_shows_at_the_next_request(ask: Ask, cast: Cast) -> None:
    event = make_event(cast.alliance, scheduled=True)
    before = ask()
    revise_event(event, viewer=SYSTEM, at=AT, title_zh="新名称")
    after = ask()

    assert before.body != after.body
    assert queries(ask) == 3


def test_other_questions_get_other_answers(ask: Ask, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True)
    bodies = {
        ask().body,
        ask(HTTP_DEPTH="0").body,
        ask(path="mine/").body,
        ask(path="dongbei/").body,
        ask(LISTING.replace("<D:displayname/>", "")).body,
        ask(HTTP_ACCEPT_LANGUAGE="en").body,
        ask(HTTP_PREFER="return=minimal").body,
    }

    assert len(bodies) == 7


def test_app_password_that_was_revoked_hears_nothing_more(ask: Ask, phone: Phone) -> None:
    before = ask().status
    revoke_token(ApiToken.objects.get(user=phone.user), viewer=SYSTEM, at=NOW)

    assert (before, ask().status) == ("207 Multi-Status", "401 Unauthorized")


def test_app_password_that_expired_or_whose_owner_left_hears_nothing_more(
    ask: Ask, phone: Phone, fixed_clock: Any
) -> None:
    ApiToken.objects.filter(user=phone.user).update(expires_at=NOW + timedelta(minutes=5))
    ask()
    fixed_clock.move_to(NOW + timedelta(minutes=5))
    expired = ask().status
    fixed_clock.move_to(NOW)
    ask()
    User.objects.filter(pk=phone.user.pk).update(is_active=False)

    assert (expired, ask().status) == ("401 Unauthorized",) * 2


def test_other_password_with_the_same_name_hears_nothing(ask: Ask, phone: Phone) -> None:
    ask()
    guess = Phone(phone.user, phone.secret[::-1])
    stranger = Phone(User(username="other"), phone.secret)

    for one in (guess, stranger):
        assert ask(HTTP_AUTHORIZATION=one.authorization).status == "401 Unauthorized"


def test_other_rights_give_another_answer(ask: Ask, phone: Phone, cast: Cast) -> None:
    make_event(cast.alliance, scheduled=True, audience="secretariat")
    before = ask()
    seat_person(
        phone.user.person,
        role="staff",
        body=secretariat_of(cast.alliance),
        starts_on=NOW.date(),
        viewer=SYSTEM,
        at=NOW,
    )

    assert len(ask().body) > len(before.body)


def test_what_a_person_sets_shows_at_the_next_request(ask: Ask, phone: Phone) -> None:
    for name in ("一", "二"):
        ask()
        phone.ask(
            "PROPPATCH",
            "jjj/",
            f"<D:propertyupdate {DECLARED}><D:set><D:prop><D:displayname>{name}</D:displayname>"
            "</D:prop></D:set></D:propertyupdate>",
        )
        assert f"<D:displayname>{name}</D:displayname>" in ask().body.decode()


def test_refusals_are_given_anew(ask: Ask) -> None:
    assert ask("<broken").status == "400 Bad Request"
    assert queries(ask, "<broken") > 3


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_AUTHORIZATION": "Basic ####"},
        {"HTTP_AUTHORIZATION": "Basic " + "A" * 3000},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"CONTENT_LENGTH": "many"},
        {"CONTENT_LENGTH": "999999999"},
    ],
)
def test_odd_requests_are_led_on(more: dict[str, str], ask: Ask) -> None:
    assert ask(**more).status[:3] in ("401", "413")  # Python words the second in two ways


def test_memory_keeps_to_its_capacity(ask: Ask) -> None:
    small = Memory(capacity=10)
    ask()
    (key,) = list(memory._held)[-1:]
    remembered = memory.find(key)
    assert remembered is not None
    for number in range(5):
        small.keep(bytes([number]), remembered)

    assert [small.find(bytes([number])) is not None for number in range(5)] == [False] * 4 + [True]
    assert len(remembered.answer.body) < CAPACITY
