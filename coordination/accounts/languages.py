"""Choose the language of an answer: Chinese when nothing speaks for another.

Pages: ``?lang=`` (which a cookie remembers), then the person's own choice, then the browser's.
The API: ``?lang=``, then ``Accept-Language``, then the person's choice, since a program that
states a language means it.
"""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from coordination.accounts.models import User
from coordination.bilingual import CHINESE, LANGUAGES

PARAMETER = "lang"


def asked_language(request: HttpRequest) -> str | None:
    """Answer the language that ``?lang=`` names; None where it names none of ours."""
    wanted = request.GET.get(PARAMETER, "").lower()
    return wanted if wanted in LANGUAGES else None


def page_language(request: HttpRequest, user: User | AnonymousUser) -> str:
    """Choose the language of a page."""
    kept = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return (
        asked_language(request)
        or (kept if kept in LANGUAGES else None)
        or _own_language(user)
        or _accepted_language(request)
        or CHINESE
    )


def program_language(request: HttpRequest, user: User | AnonymousUser) -> str:
    """Choose the language of an answer to a program."""
    return asked_language(request) or _accepted_language(request) or _own_language(user) or CHINESE


def _own_language(user: User | AnonymousUser) -> str | None:
    return (user.language or None) if isinstance(user, User) else None


def _accepted_language(request: HttpRequest) -> str | None:
    """Read ``Accept-Language`` (RFC 9110 section 12.5.4): the best one that we speak."""
    for tag, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        try:
            return get_supported_language_variant(tag)
        except LookupError:
            continue
    return None
