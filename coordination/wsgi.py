"""The production entry for any WSGI server; refuses to start without a secret key or with DEBUG."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ["COORDINATION_ENV"] = "production"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")

try:
    handler = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.exit(str(error))

from coordination.calendars.short_path import ShortPath

application = ShortPath(handler)
