"""How news leaves the building: reminders, messages, attempts."""
