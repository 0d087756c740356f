import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from coordination.accounts.languages import page_language, program_language
from coordination.accounts.models import User

NOBODY = AnonymousUser()
ENGLISH_READER = User(username="ann", language="en")
CHINESE_READER = User(username="li", language="zh-hans")
UNDECIDED = User(username="wang", language="")


def request(path="/", *, accept="", cookie=""):
    made = RequestFactory().get(path, headers={"Accept-Language": accept} if accept else {})
    if cookie:
        made.COOKIES["django_language"] = cookie
    return made


@pytest.mark.parametrize(
    ("user", "asked", "expected"),
    [
        (NOBODY, {}, "zh-hans"),
        (NOBODY, {"accept": "en-GB"}, "en"),
        (NOBODY, {"accept": "fr, de;q=0.9"}, "zh-hans"),
        (NOBODY, {"accept": "fr, en;q=0.2"}, "en"),
        (NOBODY, {"accept": "zh-TW"}, "zh-hans"),
        (NOBODY, {"accept": "zh"}, "zh-hans"),
        (NOBODY, {"accept": "en;q=x,,;;"}, "zh-hans"),
        (NOBODY, {"accept": "en", "cookie": "zh-hans"}, "zh-hans"),
        (NOBODY, {"accept": "en", "cookie": "klingon"}, "en"),
        (UNDECIDED, {"accept": "en"}, "en"),
        (CHINESE_READER, {"accept": "en"}, "zh-hans"),
        (CHINESE_READER, {"cookie": "en"}, "en"),
        (ENGLISH_READER, {"accept": "zh-CN"}, "en"),
        (ENGLISH_READER, {"path": "/?lang=zh-hans"}, "zh-hans"),
        (NOBODY, {"path": "/?lang=EN", "cookie": "zh-hans"}, "en"),
        (NOBODY, {"path": "/?lang=fr"}, "zh-hans"),
    ],
)
def test_page_language_follows_query_cookie_person_browser(user, asked, expected):
    assert page_language(request(**asked), user) == expected


@pytest.mark.parametrize(
    ("user", "asked", "expected"),
    [
        (NOBODY, {}, "zh-hans"),
        (CHINESE_READER, {"accept": "en"}, "en"),
        (ENGLISH_READER, {}, "en"),
        (ENGLISH_READER, {"accept": "zh-Hans"}, "zh-hans"),
        (ENGLISH_READER, {"path": "/?lang=zh-hans", "accept": "en"}, "zh-hans"),
    ],
)
def test_program_language_follows_query_header_person(user, asked, expected):
    assert program_language(request(**asked), user) == expected
