"""Celery as a pool of threads across hosts; what is due is known by the database alone.

A message to a worker is a wake-up and worth nothing by itself, so it is acknowledged early, never
kept and never tried again. ``manage.py clock`` sends the wake-ups; the static ``beat_schedule``
below does the same for those who prefer beat, and is harmless beside the clock.
"""

import os
import tempfile

from celery import Celery

from coordination.knobs import read_text

BEAT_SECONDS = 2.0
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")

app = Celery("coordination", broker=read_text("REDIS_URL", "memory://"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=3,  # seconds
    broker_transport_options={
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
    },  # seconds
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=False,
    task_serializer="json",
    timezone="UTC",
    worker_pool="threads",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    beat_schedule={
        "go round": {"task": "deliveries.go_round", "schedule": BEAT_SECONDS},
    },
    beat_schedule_filename=os.path.join(tempfile.gettempdir(), "coordination-beat"),
)
app.set_default()
app.autodiscover_tasks()
