"""Resources of the API: lists start from what the viewer may see, changes are one verb call each.

A domain declares a resource in its `api/views.py`; the rules of the house come with the class::

    class WorkAreaViewSet(Creating, Changing, Deleting, ResourceViewSet):
        '''Areas of work of a plan.'''

        resource = "plans"                        # the word in token scopes: "plans:write"
        model = WorkArea
        reading = WorkAreaReading                 # see reading.py
        create_input = WorkAreaInput              # see inputs.py
        change_input = WorkAreaInput
        filterset_class = WorkAreaFilters         # see filters.py
        orderings = {"position": "position", "created": "pk"}   # public name -> column
        ordering = "position"

        def rows(self):                           # narrow what is visible; `self.kwargs` = the path
            return super().rows().filter(plan__uid=self.kwargs["plan_uid"])

        def perform_create(self, values):         # one verb each
            return add_work_area(self.plan(), viewer=self.viewer, at=self.at, **values)

        def perform_change(self, obj, values):
            return revise_work_area(obj, viewer=self.viewer, at=self.at, **values)

        def perform_delete(self, obj, reason):
            remove_work_area(obj, viewer=self.viewer, at=self.at)

        @transition(ReasonInput)                  # POST …/{uid}/open/
        def open(self, obj, values):
            '''Open the area.'''
            return open_area(obj, viewer=self.viewer, at=self.at, **values)

and mounts it in its `api/urls.py` with `routing.resource_paths("plans/<uuid:plan_uid>/work-areas",
WorkAreaViewSet, name="work-area")`.

What comes with it: keyset pages with `Link`, ETags and 304 for lists (one query while nothing the
viewer sees has changed) and objects, `If-Match` with 428 and 412, `Idempotency-Key`, merge patch,
strict parameters, scopes, rate limits, problem documents that show both versions, the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from django.core.cache import caches
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.viewsets import ViewSetMixin

from coordination.accounts.languages import PARAMETER as LANG
from coordination.changes.models import Tracked
from coordination.changes.refusals import NotVisible, StaleVersion
from coordination.rest.filters import (
    ResourceFilters,
    StrictFilterBackend,
    filtered,
    parameter_names,
)
from coordination.rest.inputs import Input
from coordination.rest.pagination import (
    CURSOR,
    OWN_PARAMETERS,
    KeysetPages,
    PageRequest,
    Position,
    cursor_for,
    page_of_branches,
    requested_page,
)
from coordination.rest.preconditions import check_match, etag_of, list_etag
from coordination.rest.reading import Reading, compiled
from coordination.rest.rendering import JSON, RENDERER, to_json
from coordination.rest.revisions import revisions_for, rights_of
from coordination.rest.views import HouseView

KEPT_SECONDS = 600
LARGEST_KEPT = 128 * 1024  # bytes
ATTEMPTS = 3  # to read a page between two writes
REASON = "reason"


class ResourceViewSet(ViewSetMixin, HouseView):
    """A list and an object of each; mix in `Creating`, `Changing`, `Deleting`.

    Attributes:
        model: a tracked model whose manager has `visible_to`.
        reading: its representation.
        orderings: public name -> column.
        ordering: the default one, as the parameter writes it.
        personal: whether two viewers with the same rights may see different rows or values.
        related: foreign keys to fetch with an object that a verb is about to change.
    """

    model: ClassVar[Any]
    reading: ClassVar[type[Reading]]
    filterset_class: ClassVar[type[ResourceFilters] | None] = None
    orderings: ClassVar[Mapping[str, str]] = {"created": "pk"}
    ordering: ClassVar[str] = "created"
    personal: ClassVar[bool] = False
    related: ClassVar[tuple[str, ...]] = ()
    lookup_field = "uid"
    lookup_value_converter = "uuid"
    filter_backends = (StrictFilterBackend,)
    pagination_class = KeysetPages

    def rows(self) -> QuerySet[Any]:
        """Return the rows that the viewer may see; a nested resource narrows them.

        Raises:
            NotVisible: what the rows stand under is not open to the viewer.
        """
        rows: QuerySet[Any] = self.model.objects.visible_to(self.viewer)
        return rows

    def shown(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows with what the reading needs beside columns; annotations go here."""
        return rows

    def branches(self, rows: QuerySet[Any]) -> Sequence[QuerySet[Any]]:
        """Return the rows of a list in parts without a row in common, where that is cheaper."""
        return [rows]

    def list(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer a page; while nothing has changed, from the cache or with 304."""
        for _attempt in range(ATTEMPTS):
            etag = self._list_etag()
            unchanged = self.check_conditions(etag)
            if unchanged is not None:
                return unchanged
            kept = caches["answers"].get(etag)
            if kept is not None:
                body, following = kept
                return self._answer_page(body, following, etag)
            body, following = self._page()
            if self._list_etag() == etag:
                if len(body) <= LARGEST_KEPT:
                    caches["answers"].set(etag, (body, following), KEPT_SECONDS)
                return self._answer_page(body, following, etag)
        # Somebody wrote each time while we read: a tag of revisions could lie, bytes cannot.
        return self._answer_page(body, following, list_etag(body))

    def retrieve(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer one object.

        Raises:
            NotVisible: there is none, or none that the viewer may see.
            ProblemError: it is not the version that `If-Match` names.
        """
        body, etag = self.represent(self.rows().filter(**self._lookup()))
        return self.check_conditions(etag) or self.answer_bytes(body, headers={"ETag": etag})

    def represent(self, rows: QuerySet[Any]) -> tuple[bytes, str]:
        """Return the bytes and the tag of the only row.

        Raises:
            NotVisible: there is none.
        """
        shown = compiled(self.reading)
        found = list(self.shown(rows).order_by()[:1].values_list(*shown.columns))
        if not found:
            raise NotVisible
        body = to_json(shown.objects(found, self.reader)[0])
        return body, etag_of(found[0][1], body)

    def answer_object(self, obj: Tracked, *, status: int = 200) -> HttpResponse:
        """Answer an object as it is stored now, to the one who changed it."""
        body, etag = self.represent(self.model._default_manager.filter(pk=obj.pk))
        headers = {"ETag": etag}
        if status == 201:
            headers["Location"] = self.location_of(obj)
        return self.answer_bytes(body, status=status, headers=headers)

    def location_of(self, obj: Tracked) -> str:
        """Return the address of an object that a POST to its list has made."""
        path = self.request.path.rstrip("/")
        name = getattr(obj, self.lookup_field)
        return str(self.request.build_absolute_uri(f"{path}/{name}/"))

    def found(self, *, match: bool) -> Any:
        """Return the object in the path for a verb, after checking `If-Match`.

        Args:
            match: whether `If-Match` must be given.

        Raises:
            NotVisible: there is none that the viewer may see.
            ProblemError, StaleVersion: see `preconditions.check_match`.
        """
        rows = self.rows().filter(**self._lookup())
        obj = rows.select_related(*self.related).first() if self.related else rows.first()
        if obj is None:
            raise NotVisible
        check_match(self.request.headers.get("If-Match"), obj, required=match)
        return obj

    def describe_stale(self, error: StaleVersion) -> dict[str, Any]:
        """Return what a refusal of a stale change shows: both versions, and the tag to go on with.

        Its status is 412 where the client said which version it meant, else 409.
        """
        extra: dict[str, Any] = {"mine": self.request.data or None, "current": None}
        if isinstance(error.current, self.model):
            try:
                body, etag = self.represent(self.rows().filter(pk=error.current.pk))
                extra |= {"current": orjson.loads(body), "current_etag": etag}
            except NotVisible:
                pass
        return {"extra": extra, "status": 412 if "If-Match" in self.request.headers else 409}

    def known_parameters(self) -> frozenset[str]:
        """Return the parameters of a list; others take `lang` alone."""
        if self.action == "list":
            return OWN_PARAMETERS | {LANG, *parameter_names(self.filterset_class)}
        return super().known_parameters()

    def get_queryset(self) -> QuerySet[Any]:
        """Return the model's rows, for the schema."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def _lookup(self) -> dict[str, Any]:
        return {self.lookup_field: self.kwargs[self.lookup_field]}

    def _list_etag(self) -> str:
        request = self.request._request
        return list_etag(
            request.get_host(),
            request.path,
            request.META.get("QUERY_STRING", ""),
            self.viewer.language,
            rights_of(self.viewer, personal=self.personal),
            JSON,
            RENDERER,
            revisions_for(self.viewer),
        )

    def _answer_page(self, body: bytes, following: str | None, etag: str) -> HttpResponse:
        link = {"Link": f'<{following}>; rel="next"'} if following else {}
        return self.answer_bytes(body, headers={"ETag": etag} | link)

    def _page(self) -> tuple[bytes, str | None]:
        query = self.request._request.GET
        page = requested_page(
            query, orderings=self.orderings, default=self.ordering, model=self.model
        )
        rows = filtered(self.rows(), query, self.filterset_class, own={*OWN_PARAMETERS, LANG})
        shown = compiled(self.reading)
        branches = [self.shown(branch) for branch in self.branches(rows)]
        found, last = page_of_branches(branches, shown.columns, page)
        following = None if last is None else self._address_after(last, page)
        items = shown.objects(found, self.reader)
        return to_json({"items": items, "next": following}), following

    def _address_after(self, last: Position, page: PageRequest) -> str:
        query = self.request._request.GET.copy()
        query[CURSOR] = cursor_for(last, page.ordering)
        return str(self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}"))


class Creating:
    """POST to the list: `perform_create` calls one verb and returns what it made."""

    create_input: ClassVar[type[Input]]

    def create(self: Any, request: Request, **kwargs: Any) -> HttpResponse:
        """Make an object; 201 with its address."""
        values = self.values(self.create_input)
        response: HttpResponse = self.answer_object(self.perform_create(values), status=201)
        return response


class Changing:
    """PATCH on an object: `perform_change` calls one verb and returns the object."""

    change_input: ClassVar[type[Input]]

    def partial_update(self: Any, request: Request, **kwargs: Any) -> HttpResponse:
        """Change an object by a merge patch (RFC 7396); needs `If-Match`."""
        obj = self.found(match=True)
        changed = self.perform_change(obj, self.values(self.change_input, partial=True))
        response: HttpResponse = self.answer_object(changed)
        return response


class Deleting:
    """DELETE on an object: `perform_delete` calls one verb. `?reason=` is kept in the log."""

    def destroy(self: Any, request: Request, **kwargs: Any) -> HttpResponse:
        """Delete an object; needs `If-Match`."""
        obj = self.found(match=True)
        self.perform_delete(obj, request._request.GET.get(REASON, ""))
        return HttpResponse(status=204)

    def known_parameters(self) -> frozenset[str]:
        """Return the parameters; deleting also takes a reason."""
        known: frozenset[str] = super().known_parameters()  # type: ignore[misc]
        return known | {REASON} if getattr(self, "action", "") == "destroy" else known


Transition = Callable[[Any, Any, dict[str, Any]], Any]


def transition(
    shape: type[Input], *, replies: Any = None, path: str | None = None, status: int = 200
) -> Callable[[Transition], Any]:
    """Make a method a sub-resource that takes POST: `events/{uid}/confirm/`.

    The method gets the object and the cleaned body, calls one verb, and returns the object (which
    is answered like a GET), another answer, or data. `If-Match` is honoured where it is given.

    Args:
        shape: the body; every field may be optional, and then so is the body.
        replies: what is answered when it is not the resource's own representation.
        path: the last part of the address when it is not the method's name.
        status: of the answer.
    """

    def decorate(method: Transition) -> Any:
        def handler(self: Any, request: Request, **kwargs: Any) -> HttpResponse:
            obj = self.found(match=False)
            result = method(self, obj, self.values(shape))
            if isinstance(result, HttpResponse):
                return result
            if isinstance(result, self.model):
                return self.answer_object(result, status=status)  # type: ignore[no-any-return]
            return self.answer(result, status=status)  # type: ignore[no-any-return]

        handler.__name__ = method.__name__
        handler.__doc__ = method.__doc__
        address = path or method.__name__.replace("_", "-")
        marked: Any = action(detail=True, methods=["post"], url_path=address)(handler)
        marked.described_for_schema = (shape, status, replies)
        return marked

    return decorate
