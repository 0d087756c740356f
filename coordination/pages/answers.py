"""What pages answer: only what the viewer may see, and refusals as pages with the right status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone

from coordination.accounts.middleware import viewer_of
from coordination.changes.refusals import NotAllowed, NotVisible

__all__ = ["asked", "now", "one", "page", "posted", "uid_or_none", "viewer_of"]

View = Callable[..., HttpResponseBase]
Row = TypeVar("Row", bound=Model)


def now() -> datetime:
    """Read the clock: aware, UTC. Faces read it, and hand it on as `at`."""
    return timezone.now()


def page(view: View) -> View:
    """Turn refusals that are not about a form into pages: 404, or 403 with a way to sign in."""

    @wraps(view)
    def answer(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        try:
            return view(request, **parts)
        except NotVisible as refusal:
            raise Http404(str(refusal.message)) from None
        except NotAllowed as refusal:
            if not viewer_of(request).is_authenticated:
                return redirect_to_login(request.get_full_path())
            raise PermissionDenied(str(refusal.message)) from None

    return answer


def asked(request: HttpRequest, name: str) -> str:
    """Return a word out of the query, without what no stored text holds (NUL, outer spaces)."""
    return request.GET.get(name, "").replace("\0", "").strip()


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form sent, even when that is nothing; None while it is only looked at."""
    return request.POST if request.method == "POST" else None


def one(rows: QuerySet[Row], **conditions: Any) -> Row:
    """Return the one row that fits, out of rows that began at `visible_to`.

    Raises:
        NotVisible: there is none, for this viewer.
    """
    found = rows.filter(**conditions).first()
    if found is None:
        raise NotVisible
    return found


def uid_or_none(text: str) -> UUID | None:
    """Return a UUID out of a query, or None when the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
