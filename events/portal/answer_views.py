"""Answering by a link, without a login: a page that changes nothing, with one button an answer.

Programs that open every link in a mail see the page and no more; only the form's POST answers.
It needs no cookie: the secret in its address is what a cross-site form could not know (so there is
nothing for a CSRF token to add), and it shows nothing but the one invitation.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alliances.addressing import PeopleByUid
from alliances.expiring import day_of_rights
from coordination.accounts.languages import asked_language
from coordination.bilingual import language_or_default, localized
from coordination.changes.refusals import NotAllowed, TransitionNotAllowed
from coordination.deliveries.recipients import Reader
from coordination.pages.answers import now, posted
from coordination.pages.wording import day_in_words
from coordination.rest.throttling import address_of
from events import rules
from events.answer_links import invitee_of_link
from events.invitation_mail import OFFERED, choice_words, facts_of
from events.inviting import answer_as_invitee, given_in, refuse_closed
from events.models import Answer, AnswerState, AnswerWay, Invitation, Invitee
from events.portal.forms import AnswerForm
from events.told_times import answers_this_time

WINDOW_SECONDS: Final = 600
MOST_ANSWERS: Final = 20  # by one link
MOST_PAGES: Final = 600  # for one address: an office, or a scanner
MOST_MISSES: Final = 30  # secrets that are nobody's, from one address
REFUSED: Final = 422
GONE: Final = 410
TOO_MANY: Final = 429


def _private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keep the page out of search engines, caches and Referer headers."""

    def answer(request: HttpRequest, secret: str) -> HttpResponse:
        response = view(request, secret)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        add_never_cache_headers(response)
        return response

    return answer


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_private
def answer_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Show one invitation with its answers; a POST answers it."""
    address = address_of(request)
    if _is_too_often("page", address, MOST_PAGES) or _count("miss", address) > MOST_MISSES:
        return _say(request, _("Too many requests. Please try again in ten minutes."), TOO_MANY)
    invitee = invitee_of_link(secret)
    if invitee is None:
        _is_too_often("miss", address, MOST_MISSES)
        words = _("This link is not valid, or not any more. The newest message has the right one.")
        return _say(request, words, 404)
    reader = _reader(invitee)
    language = asked_language(request) or language_or_default(reader.language)
    with override(language):
        response = _answer(request, invitee, reader, language)
        response.headers["Content-Language"] = language
        return response


def _answer(request: HttpRequest, invitee: Invitee, reader: Reader, language: str) -> HttpResponse:
    at, invitation = now(), invitee.invitation
    try:
        rules.require(rules.may_answer_as(invitee.person, invitation, on=day_of_rights(at)))
        refuse_closed(invitation, at=at)
        form = AnswerForm(posted(request))
        if request.method == "POST":
            if _is_too_often("answer", str(invitee.uid), MOST_ANSWERS):
                words = _("Too many answers by this link. Please try again in ten minutes.")
                return _say(request, words, TOO_MANY)
            if form.is_valid() and _record(form, invitee, at) is not None:
                return redirect(_done(request))
    except NotAllowed:
        return _say(request, _no_seat(invitation, language), GONE)
    except TransitionNotAllowed as refusal:
        return _say(request, str(refusal.message), GONE)
    status = REFUSED if request.method == "POST" else 200
    return _page(request, invitee, reader, language, form, status)


def _record(form: AnswerForm, invitee: Invitee, at: datetime) -> Answer | None:
    def verb() -> Answer:
        seen = form.cleaned_data["sequence"]
        return answer_as_invitee(invitee, form.given(), way=AnswerWay.LINK, at=at, sequence=seen)

    return form.run(verb)


def _page(
    request: HttpRequest,
    invitee: Invitee,
    reader: Reader,
    language: str,
    form: AnswerForm,
    status: int,
) -> HttpResponse:
    invitation = invitee.invitation
    latest = _latest(invitation)
    wanted = request.GET.get("as", "")
    choices = list(zip(OFFERED, choice_words(), strict=True))
    plain = [pair for pair in choices if pair[0] not in _WITH_WORDS]
    context = facts_of(invitation, language=language, zone=reader.time_zone) | {
        "name": reader.name,
        "language": language,
        "other_language": "en" if language != "en" else "zh-hans",
        "plain": sorted(plain, key=lambda pair: pair[0] != wanted),
        "first": wanted if wanted in {pair[0] for pair in plain} else "",
        "wanted": form.data.get("state", wanted),
        "form": form,
        "sequence": invitation.event.sequence,
        "is_done": "done" in request.GET and latest is not None,
        "latest": latest,
        "given": given_in(latest) if latest is not None else None,
        "said": latest.comment if latest is not None and latest.state not in _WITH_WORDS else "",
        "answered_by": _name_of(latest, invitee, language),
        "answered_at": _instant(latest, reader, language),
        "is_for_another_time": latest is not None
        and not answers_this_time(latest, invitation.notices.all()),
    }
    return render(request, "events/answer/page.html", context, status=status)


_WITH_WORDS = frozenset({AnswerState.DELEGATED, AnswerState.OTHER_DATE})


def _latest(invitation: Invitation) -> Answer | None:
    if invitation.state == AnswerState.NEEDS_ACTION:
        return None
    rows = invitation.answers.select_related("person__details", "who_comes").order_by("-pk")
    found: Answer | None = rows.first()
    return found


def _name_of(answer: Answer | None, invitee: Invitee, language: str) -> str:
    """Return who answered, in words: the reader themselves, or a colleague by name."""
    if answer is None or answer.person is None:
        return _("the secretariat") if answer is not None else ""
    if answer.person == invitee.person:
        return _("you")
    details = getattr(answer.person, "details", None)
    return localized(details, "name", language) if details is not None else ""


def _instant(answer: Answer | None, reader: Reader, language: str) -> str:
    """Return when it was answered, on the reader's clock: "2024年5月14日 09:30"."""
    if answer is None:
        return ""
    here = answer.created_at.astimezone(ZoneInfo(reader.time_zone))
    return f"{day_in_words(here.date(), language=language, with_year=True)} {here:%H:%M}"


def _done(request: HttpRequest) -> str:
    """Return the page's address after an answer, in the language that was asked for."""
    asked = asked_language(request)
    return f"{request.path}?done=1" + (f"&lang={asked}" if asked else "")


def _no_seat(invitation: Invitation, language: str) -> str:
    name = localized(invitation.organization, "name", language)
    words = _("You do not answer for %(name)s any more; your successor has a link of their own.")
    return words % {"name": name}


def _reader(invitee: Invitee) -> Reader:
    key = f"person:{invitee.person.uid}"
    return PeopleByUid().readers([key], "email").get(key) or Reader(recipient=key, address="")


def _say(request: HttpRequest, words: str, status: int) -> HttpResponse:
    return render(request, "events/answer/sentence.html", {"words": words}, status=status)


def _is_too_often(what: str, who: str, most: int) -> bool:
    """Count once more, and return whether that is too often within ten minutes."""
    key = _key(what, who)
    cache.add(key, 0, timeout=WINDOW_SECONDS)
    try:
        return cache.incr(key) > most
    except ValueError:
        return False


def _count(what: str, who: str) -> int:
    count: Any = cache.get(_key(what, who), 0)
    return int(count)


def _key(what: str, who: str) -> str:
    return f"answer-{what}:{who}".replace(" ", "")[:120]
