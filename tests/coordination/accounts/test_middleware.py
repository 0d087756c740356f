import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from coordination.accounts.middleware import PageViewer, viewer_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def answer(user, path="/", **headers):
    """Send a request through, and answer the response with what the page saw."""
    seen = {}

    def page(request):
        seen["language"] = translation.get_language()
        seen["zone"] = timezone.get_current_timezone_name()
        seen["viewer"] = viewer_of(request)
        return HttpResponse("page")

    request = RequestFactory().get(path, headers=headers)
    request.user = user
    return PageViewer(page)(request), seen


def test_page_of_a_person_is_in_their_language_and_zone():
    user = make_user("li", language="en", time_zone="Europe/Berlin")

    response, seen = answer(user)

    assert (seen["language"], seen["zone"]) == ("en", "Europe/Berlin")
    assert (seen["viewer"].user_id, seen["viewer"].language) == (user.pk, "en")
    assert response["Content-Language"] == "en"
    assert response["Vary"] == "Accept-Language, Cookie"
    assert response.cookies == {}


def test_page_that_asks_for_no_rights_pays_for_none(django_assert_num_queries):
    user = make_user("li")
    request = RequestFactory().get("/")
    request.user = user

    with django_assert_num_queries(0):
        PageViewer(lambda request: HttpResponse())(request)


def test_page_with_lang_remembers_it_in_a_cookie():
    response, seen = answer(make_user("li"), "/?lang=en")

    cookie = response.cookies["django_language"]
    assert (seen["language"], cookie.value) == ("en", "en")
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 31_536_000)


def test_page_with_a_zone_gone_from_the_database_falls_back():
    _response, seen = answer(make_user("li", time_zone="Mars/Olympus"))

    assert seen["zone"] == "Asia/Shanghai"


def test_language_outside_the_page_stays_what_it_was():
    with translation.override("zh-hans"):
        answer(make_user("li", language="en"))
        assert translation.get_language() == "zh-hans"
