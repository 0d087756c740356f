"""The page of public holidays and make-up working days, and the file that renews them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from coordination.accounts.viewer import Viewer
from coordination.bilingual import localized
from coordination.changes.refusals import NotAllowed, invalid
from coordination.pages.answers import asked, now, page, posted, viewer_of
from coordination.portal.forms import HolidayFileForm
from coordination.portal.views import today_for
from events import rules
from events.almanac import named_days, years_of
from events.marking import YEARS_AHEAD, countries_in_use, take_over_file
from events.models import HolidayYear
from events.rule_words import unsettled_in_words

MOST_BYTES = 1_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@page
def holidays(request: HttpRequest) -> HttpResponse:
    """Show a country's marked days of a year; take a file over."""
    viewer = viewer_of(request)
    form: HolidayFileForm | None = None
    if rules.may_mark_days(viewer):
        form = HolidayFileForm(posted(request), request.FILES or None)
    elif request.method == "POST":
        raise NotAllowed
    if form is not None and request.method == "POST" and form.is_valid():
        taken = form.run(lambda: _take(form, viewer))
        if taken is not None:
            names = ", ".join(f"{country} {year}" for country, year in taken)
            messages.success(request, _("Taken over: %(years)s.") % {"years": names})
            return HttpResponseRedirect(reverse("portal:holidays"))
    countries = sorted(countries_in_use() | {"CN"})
    today = today_for(viewer)
    country = asked(request, "country")
    country = country if country in countries else "CN"
    years = [today.year + number for number in range(-1, YEARS_AHEAD + 1)]
    wanted = asked(request, "year")
    year = int(wanted) if wanted in map(str, years) else today.year
    known = years_of([(country, one) for one in years])
    unsettled = [(country, one) for one in years if not known[country, one].is_settled]
    return render(
        request,
        "portal/holidays.html",
        {
            "countries": countries,
            "country": country,
            "years": years,
            "year": year,
            "days": [
                (one, localized(one, "name", viewer.language))
                for one in named_days(country, [year])
            ],
            "head": HolidayYear.objects.filter(country=country, year=year).first(),
            "warnings": unsettled_in_words(unsettled),
            "form": form,
        },
        status=422 if form is not None and form.is_bound else 200,
    )


def _take(form: HolidayFileForm, viewer: Viewer) -> list[tuple[str, int]]:
    """Take the file of a form over.

    Raises:
        InvalidInput: it is too large, or no text in UTF-8.
    """
    file = form.cleaned_data["file"]
    if file.size > MOST_BYTES:
        raise invalid("file", _("The file is too large."))
    try:
        content = file.read().decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("file", _("The file is not text in UTF-8.")) from None
    return take_over_file(content, source=form.cleaned_data["source"], viewer=viewer, at=now())
