"""What the logs leave out."""

import io
import json
import logging

import pytest
import structlog

from coordination.logs import configure, hide_secret_addresses

ADDRESS = "GET /calendars/links/o79jTZtmhzVIghXLAcXhDeDZCC0nfIBFLd4mh_JY4pU.ics?x=1"


def test_hide_secret_addresses_keeps_all_but_the_secret() -> None:
    line = {"event": "request_started", "request": ADDRESS, "status": 405}

    assert hide_secret_addresses(None, "info", line) == {
        "event": "request_started",
        "request": "GET /calendars/links/…?x=1",
        "status": 405,
    }


@pytest.mark.parametrize("logger", ["ours", "plain"])
def test_production_log_holds_no_secret_address_whoever_writes_it(logger: str) -> None:
    kept = logging.root.handlers[:], logging.root.level
    try:
        configure({"production": True, "level": "INFO"})
        stream = io.StringIO()
        logging.root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
        if logger == "ours":
            structlog.get_logger("ours").info("request_started", request=ADDRESS)
        else:
            logging.getLogger("plain").warning("Not Found: %s", ADDRESS)
    finally:
        logging.root.handlers[:], logging.root.level = kept

    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["level"] in ("info", "warning")
    assert "/calendars/links/…?x=1" in line
    assert "o79jTZtm" not in line
