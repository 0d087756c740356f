#!/usr/bin/env python3
"""The one door for commands: ``python3 manage.py up`` and ``python3 manage.py test``.

On a bare machine the dependencies are installed first; see ``bootstrap.py``.
"""

import os
import sys

import bootstrap


def main() -> None:
    """Make sure of the dependencies, then run the command that was asked for."""
    bootstrap.ensure(development="test" in sys.argv[1:2])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
