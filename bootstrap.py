"""Install the locked dependencies on a bare machine. Standard library only."""


def ensure(*, development: bool) -> None:
    """Make ``.venv`` from the hashed lock where it is missing, and go on inside it."""
