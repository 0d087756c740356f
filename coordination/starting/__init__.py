"""Commands that start, test, copy and restore an installation."""
