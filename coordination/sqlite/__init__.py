"""SQLite as this project runs it; named in the settings as the engine."""
