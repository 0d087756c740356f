"""Break the engine in every way its design names, and say what came of it.

    python -m benchmarks.faults                        SQLite, then PostgreSQL and Redis
    python -m benchmarks.faults --on sqlite --kills 10 kills frozen

Needs PostgreSQL's and Redis' programs for the second half; starts both by itself, in a temporary
folder, and talks to nobody but them and a mail server of its own on the loopback. Ends with 1 as
soon as a row does not hold.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.faults.rows import EVERYWHERE, WITH_SERVERS, Row
from benchmarks.faults.servers import postgresql, redis
from benchmarks.faults.stage import Stage, set_stage

VERDICTS = {True: "holds", False: "FAILS", None: "not applicable"}
NAMES = [row.__name__ for row in (*EVERYWHERE, *WITH_SERVERS)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(NAMES))
    parser.add_argument("--on", choices=["sqlite", "postgresql"])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--away", type=float, default=20.0, help="seconds without the database")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(NAMES):
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    if options.on is None:
        codes = [
            subprocess.call([sys.executable, "-m", "benchmarks.faults", *sys.argv[1:], "--on", on])
            for on in ("sqlite", "postgresql")
        ]
        return max(codes)
    with tempfile.TemporaryDirectory(prefix="coordination-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own
        with contextlib.ExitStack() as stack:
            return run(options, folder, stack)


def run(options: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> int:
    database = broker = None
    os.environ["COORDINATION_VAR"] = str(folder / "var")
    os.environ["DJANGO_SETTINGS_MODULE"] = "coordination.settings"
    os.environ["DATABASE_URL"] = f"sqlite:///{folder}/faults.sqlite3"
    os.environ.pop("REDIS_URL", None)
    if options.on == "postgresql":
        database, os.environ["DATABASE_URL"] = stack.enter_context(postgresql(folder / "pg"))
        broker, os.environ["REDIS_URL"] = stack.enter_context(redis(folder / "redis"))
    (folder / "var").mkdir()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    set_stage()
    stage = Stage(options.on, folder, database, broker, options.kills, options.away)
    stage.open_sink()
    rows = EVERYWHERE + (WITH_SERVERS if database is not None else ())
    try:
        chosen = [row for row in rows if not options.rows or row.__name__ in options.rows]
        return int(sum(not judge(row, stage) for row in chosen) > 0)
    finally:
        stage.kill_all()
        for child in list(stage.children):
            stage.kill(child)


def judge(row: Row, stage: Stage) -> bool:
    """Let one thing break, print what came of it, and return whether the row holds."""
    stage.clear()
    begun = time.monotonic()
    words, fine = row(stage)
    seconds = time.monotonic() - begun
    sys.stdout.write(
        f"{VERDICTS[fine]}  {stage.vendor:10}  {row.__doc__}: {words} [{seconds:.0f} s]\n"
    )
    sys.stdout.flush()
    return fine is not False


if __name__ == "__main__":
    sys.exit(main())
