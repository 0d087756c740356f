"""One terminal that serves and delivers: a web worker with threads, and the loop beside them.

granian's parent process only watches. It makes one worker process, by a fork where the system has
one, so that what was imported is not imported again. In the worker the loop runs as a thread: what
a request commits wakes it at once, and both live and die together. A worker that dies is made
anew; a worker whose parent died ends by itself, so that the port is never held by nobody.
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Any

from django.core.wsgi import get_wsgi_application
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from coordination.starting.binding import Binding

THREADS = 8
STOP_SECONDS = 8  # of the ten that Ctrl-C may take
ANNOUNCE_SECONDS = 30
ENDS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger(__name__)

stop = threading.Event()
wake = threading.Event()
loops: list[threading.Thread] = []


def serve(binding: Binding, *, announcement: str) -> None:
    """Serve pages and deliver until a signal ends it.

    Args:
        binding: where to listen.
        announcement: printed once, when the first worker answers.
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
    )
    load = Load(binding, announcement, multiprocessing.Event(), os.getpid())
    server.serve(spawn_target=work, target_loader=load, wrap_loader=False)


@dataclass(frozen=True)
class Load:
    """What a new worker does first; can be sent to one that is not a fork.

    Attributes:
        announced: set, for all processes, once the announcement was printed.
        parent: process id of granian's parent process.
    """

    binding: Binding
    announcement: str
    announced: Event
    parent: int

    def __call__(self) -> Callable[..., Any]:
        """Begin the loop beside the server and return the application to serve."""
        django = get_wsgi_application()
        from coordination.calendars.short_path import ShortPath

        application = ShortPath(django)
        loops.append(_start(_loop, "loop"))
        _start(_watch_parent, "watch", self.parent)
        _start(_announce, "announce", self)
        return application


def _start(target: Callable[..., None], name: str, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def work(*arguments: Any) -> None:
    """Serve in the worker process, then let the loop finish what it has begun."""
    for number in ENDS:
        # Until granian's own handler stands, the parent's would take the signal and do nothing.
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        # A terminal tells every process of a group to end, and the parent tells its worker once
        # more. granian's handler sets what the main thread waits for; a second signal in the
        # moment in which that wakes would wait for itself, for ever. So one thread takes them all.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        _start(_await_end, "signals")
    try:
        MPServer._spawn_wsgi_worker(*arguments)
    finally:
        stop.set()
        wake.set()
        for thread in loops:
            thread.join(STOP_SECONDS)


def _await_end() -> None:
    """Take the first signal that asks for an end, and none of those that follow."""
    number = signal.sigwait(ENDS)
    stop.set()
    wake.set()
    end_serving = signal.getsignal(number)
    if not callable(end_serving):
        os._exit(0)  # nothing is served yet
    end_serving(number, None)


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


def _announce(load: Load) -> None:
    """Print the announcement as soon as a connection is taken."""
    deadline = time.monotonic() + ANNOUNCE_SECONDS
    address = load.binding.address
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    while time.monotonic() < deadline and not load.announced.is_set():
        try:
            with socket.create_connection((address, load.binding.port), 1):
                load.announced.set()
                print(load.announcement, flush=True)
        except OSError:
            time.sleep(0.05)
