"""The one change log."""
