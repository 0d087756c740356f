"""Coordination: alliances of zones and cities, their annual plans, and the events they hold."""
