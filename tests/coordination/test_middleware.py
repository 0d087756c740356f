import pytest
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import translation

from coordination.accounts.models import User
from coordination.middleware import PagesEndHere, ProgramsPassBy


def show(request: HttpRequest) -> HttpResponse:
    user = getattr(request, "user", None)
    seen = {
        "session": hasattr(request, "session"),
        "user": user.get_username() if user is not None else None,
        "messages": hasattr(request, "_messages"),
        "language": translation.get_language(),
    }
    return HttpResponse(repr(seen), content_type="text/plain")


urlpatterns = [
    path(name, show)
    for name in ("calendars/a.ics", "api/v1/a/", "api/docs/", "dav/", "calendar/", "page/")
]
pytestmark = pytest.mark.urls(__name__)


def seen(client: Client, address: str, **headers: str) -> dict[str, object]:
    found = eval(client.get(address, **headers).content)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("address", ["/page/", "/calendar/", "/api/docs/"])
def test_page_passes_the_pages_middleware(client: Client, address: str):
    response = client.get(address)

    assert eval(response.content)["session"] is True
    assert eval(response.content)["messages"] is True
    assert "Content-Security-Policy" in response
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("address", ["/calendars/a.ics", "/dav/", "/api/v1/a/"])
def test_program_passes_by_the_pages_middleware(client: Client, address: str):
    response = client.get(address, headers={"cookie": "other=1"})

    expected = {"session": False, "user": None, "messages": False, "language": "zh-hans"}
    assert eval(response.content) == expected
    assert "Content-Security-Policy" not in response
    assert "Vary" not in response
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["OPTIONS", "PROPFIND", "REPORT"])
def test_program_that_asks_at_the_bare_address_is_led_to_the_calendars(method: str):
    answer = Client(enforce_csrf_checks=True).generic(method, "/", "<propfind/>")

    assert (answer.status_code, answer["Location"]) == (307, "/dav/")


@pytest.mark.django_db
def test_session_cookie_at_the_api_names_the_user_and_nowhere_else(client: Client):
    client.force_login(User.objects.create_user("li"))
    assert SESSION_KEY in client.session

    assert seen(client, "/api/v1/a/")["user"] == "li"
    assert seen(client, "/api/v1/a/")["messages"] is False
    assert seen(client, "/api/v1/a/", HTTP_AUTHORIZATION="Bearer x")["session"] is False
    assert seen(client, "/dav/")["session"] is False


def test_program_after_an_english_page_speaks_the_default_language(client: Client):
    assert seen(client, "/page/", HTTP_ACCEPT_LANGUAGE="en")["language"] == "en"

    assert seen(client, "/calendars/a.ics")["language"] == "zh-hans"


@pytest.mark.parametrize(("address", "status"), [("/page/", 403), ("/dav/", 200)])
def test_post_without_a_csrf_token(address: str, status: int):
    assert Client(enforce_csrf_checks=True).post(address).status_code == status


def test_programs_without_a_marked_end_refuse_to_start():
    with pytest.raises(MiddlewareNotUsed):
        PagesEndHere(show)
    ProgramsPassBy(show)(RequestFactory().get("/dav/"))

    with pytest.raises(ImproperlyConfigured, match="PagesEndHere must follow"):
        ProgramsPassBy(show)
