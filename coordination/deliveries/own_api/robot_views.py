"""Robots of chat groups, for the secretariats that keep them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from coordination.deliveries.models import Endpoint
from coordination.deliveries.own_api import robot_readings as readings
from coordination.deliveries.own_api.readings import NoBodyInput
from coordination.deliveries.own_api.views import OwnView
from coordination.deliveries.robot_health import health_of
from coordination.deliveries.robot_words import trial_words
from coordination.deliveries.robots import (
    add_robot,
    change_robot,
    remove_robot,
    robot_of,
    robots_for,
    switch_on,
    try_robot,
)


class RobotsResource(OwnView):
    """A view of robots."""

    resource = "robots"

    def shown(self, row: Endpoint) -> dict[str, Any]:
        """Return one robot with its condition."""
        return readings.robot(row, health_of([row], at=self.at)[row.pk])

    def found(self) -> Endpoint:
        """Return the robot in the path.

        Raises:
            NotVisible: there is none that the caller may manage.
        """
        return robot_of(self.kwargs["uid"], viewer=self.viewer)


class RobotListView(RobotsResource):
    """Robots that the caller's secretariats keep."""

    @extend_schema(operation_id="robots_list", responses=readings.RobotPage)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer all of them with their condition: they are few."""
        rows = robots_for(self.viewer)
        health = health_of(rows, at=self.at)
        return self.answer_tagged({"items": [readings.robot(row, health[row.pk]) for row in rows]})

    @extend_schema(
        operation_id="robots_create",
        request=readings.RobotInput,
        responses={201: readings.RobotReading},
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Set a robot up."""
        values = self.values(readings.RobotInput)
        owner, channel = values.pop("owner"), values.pop("kind")
        row = add_robot(owner, channel=channel, viewer=self.viewer, at=self.at, **values)
        address = request.build_absolute_uri(f"{request.path.rstrip('/')}/{row.uid}/")
        return self.answer(self.shown(row), status=201, headers={"Location": address})


class RobotView(RobotsResource):
    """One robot."""

    @extend_schema(operation_id="robots_retrieve", responses=readings.RobotReading)
    def get(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Answer how it is set up, without its secrets, and how it is doing."""
        return self.answer_tagged(self.shown(self.found()))

    @extend_schema(
        operation_id="robots_partial_update",
        request=readings.RobotChange(partial=True),
        responses=readings.RobotReading,
    )
    def patch(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Change what is given by a merge patch (RFC 7396)."""
        row = self.found()
        values = self.values(readings.RobotChange, partial=True)
        return self.answer(self.shown(change_robot(row, viewer=self.viewer, **values)))

    @extend_schema(operation_id="robots_destroy", responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Take it away; what it was sent stays in the ledger."""
        remove_robot(self.found(), viewer=self.viewer, at=self.at)
        return HttpResponse(status=204)


class RobotTestView(RobotsResource):
    """A test message."""

    @extend_schema(operation_id="robots_test", request=NoBodyInput, responses=readings.RobotReading)
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Send a test message now; 409 with the robot's words where it was not taken."""
        self.values(NoBodyInput)
        row = self.found()
        words = trial_words(row.language, url=f"{settings.COORDINATION_BASE_URL}/calendar/")
        try_robot(row, viewer=self.viewer, at=self.at, words=words)
        return self.answer(self.shown(row))


class RobotSwitchOnView(RobotsResource):
    """A robot that was switched off."""

    @extend_schema(
        operation_id="robots_switch_on",
        request=readings.SwitchOnInput,
        responses=readings.RobotReading,
    )
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Send to it again; `again` also tries what failed in the last day."""
        values = self.values(readings.SwitchOnInput)
        row = self.found()
        switch_on(row, again=values["again"], viewer=self.viewer, at=self.at)
        return self.answer(self.shown(row))
