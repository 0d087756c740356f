"""Logs: plain lines on one's own machine, one JSON object a line in production."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_ADDRESS = re.compile(r"(/calendars/links/)[^\s\"'?]+")


def hide_secret_addresses(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave the secret part of private calendar addresses out of a line, as a processor."""
    for name, value in event.items():
        if isinstance(value, str) and "/calendars/links/" in value:
            event[name] = _SECRET_ADDRESS.sub(r"\1…", value)
    return event


def configure(options: dict[str, Any]) -> None:
    """Set up logging, as Django's ``LOGGING_CONFIG``.

    Args:
        options: ``production`` (JSON lines with a request id) and ``level`` (a name of logging's).
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secret_addresses,
    ]
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ],
        "foreign_pre_chain": shared,
    }
    plain = {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter if options["production"] else plain},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["console"], "level": options["level"]},
        }
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
