# One image for web, worker and clock.
FROM python:3.11-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /srv/coordination coordination

WORKDIR /srv/coordination
COPY requirements.lock requirements-dev.lock bootstrap.py ./
RUN python3 bootstrap.py

COPY manage.py ./
COPY locale ./locale
COPY coordination ./coordination
COPY alliances ./alliances
COPY events ./events
ENV PATH=/srv/coordination/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COORDINATION_VAR=/var/lib/coordination
RUN COORDINATION_ENV=production COORDINATION_SECRET_KEY=only-for-this-step \
    python manage.py collectstatic --no-input --verbosity 0 \
 && rm -rf "$COORDINATION_VAR" \
 && install -d -o coordination -g coordination -m 0750 "$COORDINATION_VAR"

USER coordination
VOLUME /var/lib/coordination
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--http", "1", "--no-ws", \
     "--respawn-failed-workers", "--workers-kill-timeout", "10", "coordination.wsgi:application"]
