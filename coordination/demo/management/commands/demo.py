"""`manage.py demo`: loads the demo world; running it again changes nothing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from coordination.demo.world import load_world


class Command(BaseCommand):
    """Load the demo world."""

    help = "Loads the demo world: four alliances, a past plan, a plan around today, a campaign."

    def handle(self, **_options: Any) -> None:
        """Load it, saying what is being loaded."""
        load_world(at=timezone.now(), say=lambda line: self.stdout.write(f"  {line}"))
