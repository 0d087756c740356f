"""One terminal that serves and delivers: a web worker with threads, and the loop beside them.

granian's parent process only watches. It makes one worker process, by a fork where the system has
one, so that what was imported is not imported again. In the worker the loop runs as a thread: what
a request commits wakes it at once, and both live and die together. A worker that dies is made
anew; a worker whose parent died ends by itself, so that the port is never held by nobody.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.wsgi import get_wsgi_application
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from coordination.starting.binding import Binding

THREADS = 8
STOP_SECONDS = 8  # of the ten that Ctrl-C may take
ANNOUNCE_SECONDS = 30
log = logging.getLogger(__name__)

stop = threading.Event()
wake = threading.Event()
loops: list[threading.Thread] = []


def serve(binding: Binding, *, announce: Callable[[], None]) -> None:
    """Serve pages and deliver until a signal ends it.

    Args:
        binding: where to listen.
        announce: called once in the worker when it answers for the first time.
    """
    server = MPServer(
        "coordination.starting.embedded",
        address=binding.address,
        port=binding.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=STOP_SECONDS,
        process_name=None,
    )
    application = get_wsgi_application()
    first = threading.Event()

    def load() -> Callable[..., Any]:
        loops.append(_start(_loop, "loop"))
        _start(_watch_parent, "watch", os.getppid())
        _start(_announce, "announce", binding, announce, first)
        return application

    server.serve(spawn_target=_work, target_loader=load, wrap_loader=False)


def _start(target: Callable[..., None], name: str, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def _work(*arguments: Any) -> None:
    """Serve in the worker process, then let the loop finish what it has begun."""
    try:
        MPServer._spawn_wsgi_worker(*arguments)
    finally:
        stop.set()
        wake.set()
        for thread in loops:
            thread.join(STOP_SECONDS)


def _loop() -> None:
    """Run the loop; whatever ends it before its time is logged, and it begins again."""
    from coordination.deliveries.loop import run_loop

    while not stop.is_set():
        try:
            run_loop(stop, wake)
        except Exception:
            log.exception("The loop ended by a mistake and begins again.")
            stop.wait(1)


def _watch_parent(parent: int) -> None:
    while not stop.wait(1):
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
            return


def _announce(binding: Binding, announce: Callable[[], None], first: threading.Event) -> None:
    deadline = time.monotonic() + ANNOUNCE_SECONDS
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(binding.address, binding.address)
    while time.monotonic() < deadline and not first.is_set():
        try:
            with socket.create_connection((host, binding.port), 1):
                first.set()
                announce()
        except OSError:
            time.sleep(0.05)
