"""What a list of events costs the server: CPU per request, beside the usual way, and as it grows.

    .venv/bin/python benchmarks/lists.py [--events 100 100000] [--seconds 1]

Runs the whole request through Django's WSGI handler in one process, on SQLite in a temporary
folder (or on `DATABASE_URL`, which must be an empty database). Beside each figure stands the usual
way in the same run: a ModelSerializer over a queryset with select_related and prefetch_related,
which gives the same JSON; the benchmark compares the two first. Ratios count, milliseconds belong
to the machine.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

LIST, USUAL = "/api/v1/events/", "/api/v1/usual/"
PAGE = 25
AT = datetime(2024, 1, 8, 2, 0, tzinfo=UTC)
CIRCLES = ("public", "members", "public", "organizations", "public", "secretariat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[100, 100_000])
    parser.add_argument("--seconds", type=float, default=1.0, help="of CPU for each figure")
    options = parser.parse_args()
    print(f"{'events':>7} {'who':<10} {'what':<24} {'ms':>8} {'of usual':>9} {'growth':>7}")
    first: dict[str, float] = {}
    for number in options.events:
        figures = in_a_child(number, options.seconds)
        for name, milliseconds in figures.items():
            who, what = name.split(": ")
            ratio = milliseconds / figures[f"{who}: usual way"]
            growth = milliseconds / first.setdefault(name, milliseconds)
            about = f"{number:>7} {who:<10} {what:<24}"
            print(f"{about} {milliseconds:>8.3f} {ratio:>9.2f} {growth:>7.2f}")


def in_a_child(number: int, seconds: float) -> dict[str, float]:
    """Measure in a process of its own, on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if not pid:
            try:
                os.environ["COORDINATION_VAR"] = folder
                os.environ["COORDINATION_LOG_LEVEL"] = "ERROR"
                os.environ["COORDINATION_API_RATE"] = "0"
                report = Path(folder) / "report"
                report.write_text(json.dumps(measure(number, seconds)))
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(pid, 0)[1]:
            raise SystemExit("The measuring process failed.")
        figures: dict[str, float] = json.loads((Path(folder) / "report").read_text())
        return figures


def measure(number: int, seconds: float) -> dict[str, float]:
    """Return milliseconds of CPU for each kind of reader and request."""
    import traceback

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    try:
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        mount_usual_way()
        tokens = fill(number)
        return measured(tokens, seconds)
    except BaseException:
        traceback.print_exc()
        raise


def measured(tokens: dict[str, str], seconds: float) -> dict[str, float]:
    """Ask as each reader."""
    from django.conf import settings
    from django.core.cache import caches
    from django.core.wsgi import get_wsgi_application

    settings.ROOT_URLCONF = mount_usual_way()
    application = get_wsgi_application()
    figures = {}
    for who, token in tokens.items():
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}

        def ask(
            path: str = LIST, query: str = f"limit={PAGE}", headers: Any = headers, **more: str
        ) -> tuple[str, dict[str, str], bytes]:
            return request(application, path, query, {**headers, **more})

        def fresh(query: str = f"limit={PAGE}", ask: Any = ask) -> bytes:
            caches["answers"].clear()
            status, _headers, body = ask(query=query)
            assert status.startswith("200"), body
            return body

        usual = json.loads(ask(path=USUAL)[2])
        page = json.loads(fresh())
        assert page["items"] == usual, "the two ways differ"
        tag = ask()[1]["ETag"]
        deep = page["next"].partition("?")[2]
        for _step in range(20):
            deep = (json.loads(fresh(deep))["next"] or f"?{deep}").partition("?")[2]
        figures |= {
            f"{who}: usual way": cpu(lambda ask=ask: ask(path=USUAL), seconds),
            f"{who}: first time": cpu(fresh, seconds),
            f"{who}: again": cpu(ask, seconds),
            f"{who}: again, If-None-Match": cpu(
                lambda ask=ask, tag=tag: ask(HTTP_IF_NONE_MATCH=tag), seconds
            ),
            f"{who}: 20 pages on": cpu(lambda fresh=fresh, deep=deep: fresh(deep), seconds),
            f"{who}: of one alliance": cpu(
                lambda fresh=fresh: fresh(f"limit={PAGE}&alliance=small"), seconds
            ),
            f"{who}: newest first": cpu(
                lambda fresh=fresh: fresh(f"limit={PAGE}&ordering=-starts_at"), seconds
            ),
        }
    return figures


def fill(number: int) -> dict[str, str]:
    """Make three alliances, the last with 25 events, and readers; return their tokens."""
    from django.db import connection, models

    from coordination.accounts.tokens import issue_token
    from coordination.accounts.viewer import SYSTEM
    from events.models import EventAlliance, EventHost
    from tests.factories import (
        make_alliance,
        make_member,
        make_organization,
        make_person,
        make_plan,
        make_work_area,
        secretariat_of,
    )

    alliances = [make_alliance("big"), make_alliance("other"), make_alliance("small")]
    organizations = [make_organization(f"高新区{index}") for index in range(30)]
    for organization in organizations[:10]:
        make_member(alliances[0], organization, starts_on=date(2023, 1, 1))
    areas = [make_work_area(make_plan(alliance, year=2024)) for alliance in alliances]
    seat = {"starts_on": date(2023, 1, 1)}
    people = {
        "member": make_person("li", role="liaison", organization=organizations[0], **seat),
        "secretary": make_person("wang", role="staff", body=secretariat_of(alliances[0]), **seat),
    }
    events, hosts, co_hosts = [], [], []
    for index in range(number):
        which = 2 if index % max(1, number // 25) == 0 else index % 2
        event = _event(index, number, alliances[which], areas[which])
        events.append(event)
        for position in (1, 2):
            host = organizations[(index * position) % len(organizations)]
            hosts.append(
                EventHost(event=event, position=position, organization=host, name=host.name_zh)
            )
        if index % 50 == 0:
            co_hosts.append(EventAlliance(event=event, alliance=alliances[(which + 1) % 3]))
    _settle_concerns(events, hosts, co_hosts)
    for rows in (events, hosts, co_hosts):
        models.QuerySet(type(rows[0])).bulk_create(rows, batch_size=1000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return {"public": ""} | {
        who: issue_token(person.user, name="bench", viewer=SYSTEM, at=datetime.now(UTC)).secret
        for who, person in people.items()
    }


def _event(index: int, number: int, alliance: Any, area: Any) -> Any:
    from events.calendar_event import Span
    from events.models import Event
    from events.scheduling import new_event

    circle = CIRCLES[index % len(CIRCLES)]
    event = Event(
        alliance=alliance,
        plan=area.plan,
        work_area=area,
        title_zh=f"产业对接活动第{index}场",
        title_en=f"Matchmaking no. {index}",
        description_zh="交流创新与产业协作。" * 5,
        place_zh="天津滨海高新区",
        audience=circle,
        openness=circle,
        online_url="https://meet.example.org/1",
    )
    if index % 10:
        starts = datetime(2024, 1, 1, 9, 30) + timedelta(hours=(index * 7919) % number)
        span = Span(starts=starts, ends=starts + timedelta(hours=2), zone="Asia/Shanghai")
        event.schedule(span, reason="", tzdata_version="bench")
    event.uid = uuid4()
    return new_event(event)


def _settle_concerns(events: list[Any], hosts: list[Any], co_hosts: list[Any]) -> None:
    """Set whom each event concerns, as a recording would."""
    for event in events:
        event.part_cache |= {"hosts": [], "co_hosts": [], "named": []}
    for part, rows in (("hosts", hosts), ("co_hosts", co_hosts)):
        for row in rows:
            row.event.part_cache[part].append(row)
    for event in events:
        event.concerns = " ".join(sorted(event.concerned_scopes()))


def mount_usual_way() -> str:
    """Put the usual way beside the API; return the name of the list of addresses."""
    from django.urls import path

    from coordination import urls

    module = types.ModuleType("usual_urls")
    for name in ("handler400", "handler403", "handler404", "handler500"):
        setattr(module, name, getattr(urls, name))
    module.urlpatterns = [*urls.urlpatterns, path(USUAL[1:], usual_view())]  # type: ignore[attr-defined]
    sys.modules["usual_urls"] = module
    return "usual_urls"


def usual_view() -> Any:
    """Return the view as Django REST framework teaches it."""
    from django.db.models import F
    from rest_framework import generics, renderers

    from coordination.accounts.authentication import API_AUTHENTICATION, viewer_of
    from events.models import Event

    class UsualList(generics.ListAPIView):  # type: ignore[type-arg]
        authentication_classes = API_AUTHENTICATION
        permission_classes = ()
        renderer_classes = (renderers.JSONRenderer,)
        pagination_class = None
        filter_backends = ()
        serializer_class = usual_serializer()
        schema = None

        def get_queryset(self) -> Any:
            rows = Event.objects.visible_to(viewer_of(self.request))
            rows = rows.select_related("alliance", "plan", "plan_item", "work_area")
            rows = rows.prefetch_related(
                "hosts__organization", "co_hosts__alliance", "named__organization"
            )
            return rows.order_by(F("starts_at").asc(nulls_last=True), "pk")[:PAGE]

        def get_serializer_context(self) -> Any:
            viewer = viewer_of(self.request)
            return {**super().get_serializer_context(), "viewer": viewer}

    return UsualList.as_view()


def usual_serializer() -> Any:
    """Return a ModelSerializer that gives the same JSON as the API."""
    from rest_framework import serializers

    from alliances.models import WorkArea
    from coordination.bilingual import localized, pair
    from events import rules
    from events.api import serializers as ours
    from events.models import Event, EventHost

    def texts(name: str) -> tuple[Any, Any]:
        def spoken(self: Any, obj: Any) -> str:
            return localized(obj, name, self.context["viewer"].language)

        def both(self: Any, obj: Any) -> Any:
            return pair(getattr(obj, f"{name}_zh"), getattr(obj, f"{name}_en"))

        return spoken, both

    method = serializers.SerializerMethodField

    class UsualHost(serializers.ModelSerializer):  # type: ignore[type-arg]
        name = method()
        organization = serializers.SlugRelatedField(slug_field="uid", read_only=True)

        class Meta:
            model = EventHost
            fields = ("name", "organization")

        def get_name(self, obj: Any) -> str:
            found = obj.organization
            return localized(found, "name", self.context["viewer"].language) if found else obj.name

    class UsualArea(serializers.ModelSerializer):  # type: ignore[type-arg]
        name = method()
        name_i18n = method()
        get_name, get_name_i18n = texts("name")

        class Meta:
            model = WorkArea
            fields = ("uid", "name", "name_i18n", "color")

    class UsualEvent(serializers.ModelSerializer):  # type: ignore[type-arg]
        url = method()
        alliance = serializers.SlugRelatedField(slug_field="slug", read_only=True)
        plan = serializers.SlugRelatedField(slug_field="uid", read_only=True)
        plan_item = serializers.SlugRelatedField(slug_field="uid", read_only=True)
        work_area = UsualArea()
        title, title_i18n = method(), method()
        description, description_i18n = method(), method()
        place, place_i18n = method(), method()
        outcome, outcome_i18n = method(), method()
        get_title, get_title_i18n = texts("title")
        get_description, get_description_i18n = texts("description")
        get_place, get_place_i18n = texts("place")
        get_outcome, get_outcome_i18n = texts("outcome")
        type = serializers.CharField(source="type_text")
        participants = serializers.CharField(source="participants_text")
        window = method()
        starts_at, ends_at = method(), method()
        starts_on, ends_on = method(), method()
        previous = method()
        hosts = UsualHost(many=True)
        co_hosts, organizations = method(), method()
        coordinates = method()
        online_url, contact, notes = method(), method(), method()
        created_at = serializers.DateTimeField(format=None)
        changed_at = serializers.DateTimeField(format=None)

        class Meta:
            model = Event
            fields = tuple(ours.EventReading().fields)

        def get_url(self, obj: Any) -> str:
            return ours.page_of_event(obj.uid)

        def get_window(self, obj: Any) -> Any:
            return ours.window_of(
                obj.window_text, obj.window_starts_on, obj.window_ends_on, obj.window_precision
            )

        def get_starts_at(self, obj: Any) -> Any:
            found = ours.at_own_offset(obj.starts_at, obj.time_zone)
            return found and found.isoformat()

        def get_ends_at(self, obj: Any) -> Any:
            found = ours.at_own_offset(obj.ends_at, obj.time_zone)
            return found and found.isoformat()

        def get_starts_on(self, obj: Any) -> Any:
            return ours.first_day(obj.starts_wall)

        def get_ends_on(self, obj: Any) -> Any:
            return ours.last_day(obj.starts_wall, obj.ends_wall)

        def get_previous(self, obj: Any) -> Any:
            return ours.previous_of(
                obj.previous_starts_wall, obj.previous_ends_wall, obj.previous_time_zone
            )

        def get_co_hosts(self, obj: Any) -> list[str]:
            return [row.alliance.slug for row in obj.co_hosts.all()]

        def get_organizations(self, obj: Any) -> list[Any]:
            return [row.organization.uid for row in obj.named.all()]

        def get_coordinates(self, obj: Any) -> Any:
            return ours.coordinates_of(obj.latitude, obj.longitude)

        def get_online_url(self, obj: Any) -> Any:
            seen = rules.may_see_member_details(self.context["viewer"], obj)
            return obj.online_url if seen else None

        def get_contact(self, obj: Any) -> Any:
            seen = rules.may_see_member_details(self.context["viewer"], obj)
            return obj.contact if seen else None

        def get_notes(self, obj: Any) -> Any:
            seen = rules.may_see_notes(self.context["viewer"], obj)
            return obj.notes if seen else None

        def to_representation(self, instance: Any) -> Any:
            shown = super().to_representation(instance)
            for name in ("created_at", "changed_at"):
                shown[name] = shown[name].isoformat()
            return shown

    return UsualEvent


def request(
    application: Any, path: str, query: str, headers: dict[str, str]
) -> tuple[str, dict[str, str], bytes]:
    """Send one GET through the WSGI application and read the answer to its end."""
    answered: dict[str, Any] = {}

    def start_response(status: str, fields: list[tuple[str, str]], error: Any = None) -> None:
        answered["status"], answered["headers"] = status, dict(fields)

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
        **headers,
    }
    body = application(environ, start_response)
    content = b"".join(body)
    body.close()
    return answered["status"], answered["headers"], content


def cpu(action: Callable[[], Any], seconds: float) -> float:
    """Return milliseconds of CPU for one run: the best of three series."""
    action()
    return min(_series(action, seconds / 3) for _ in range(3))


def _series(action: Callable[[], Any], seconds: float) -> float:
    gc.collect()
    started = time.process_time()
    runs = 0
    while time.process_time() < started + seconds or not runs:
        action()
        runs += 1
    return (time.process_time() - started) / runs * 1000


if __name__ == "__main__":
    main()
