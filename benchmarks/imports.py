"""What importing a large plan costs: 5,000 lines by the command, beside the bare rows.

    .venv/bin/python benchmarks/imports.py [--lines 5000]

Makes a workbook, imports it twice into an empty installation in a temporary folder, each time in a
process of its own, and prints seconds, megabytes at the peak, and how many times longer it took
than writing as many bare rows of a line and an event (two executemany in one transaction) in the
same run. The second import finds that nothing changed.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMES = ("5月中旬", "第二季度", "5月14日", "全年", "待定", "9月20日至9月21日")
HEADER = [
    "序号",
    "工作方面",
    "活动名称",
    "活动类型",
    "主办/承办单位",
    "地点",
    "时间",
    "参加单位",
    "备注",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=5000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COORDINATION_VAR"] = folder
        workbook = Path(folder) / "2031.xlsx"
        write_workbook(workbook, lines)
        run("migrate", "--verbosity", "0")
        run("demo")
        bare = bare_rows(Path(folder) / "bare.sqlite3", lines)
        print(f"{'':<16} {'seconds':>8} {'of bare rows':>13} {'MB':>5}")
        print(f"{'bare rows':<16} {bare:>8.2f} {1:>13.0f} {'':>5}")
        for name in ("first import", "again"):
            begun = time.monotonic()
            run("import_plan", str(workbook), "--alliance", "jjj", "--year", "2031")
            took = time.monotonic() - begun
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{name:<16} {took:>8.2f} {took / bare:>13.0f} {peak:>5.0f}")


def write_workbook(path: Path, lines: int) -> None:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("计划")
    sheet.append(["京津冀国家高新区联盟2031年计划"])
    sheet.append(HEADER)
    for number in range(1, lines + 1):
        sheet.append(
            [
                number,
                f"方面{number % 7}",
                f"活动{number}",
                "会议",
                "天津滨海高新区管委会、沧州高新区",
                "北京",
                TIMES[number % len(TIMES)],
                "全体成员单位",
                "示例",
            ]
        )
    workbook.save(path)


def bare_rows(path: Path, lines: int) -> float:
    """Return the seconds that as many bare lines and events take in SQLite."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE line (id INTEGER PRIMARY KEY, title TEXT, hosts TEXT)")
    connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, line INTEGER, title TEXT)")
    begun = time.monotonic()
    with connection:
        rows = [(f"活动{number}", "天津滨海高新区管委会") for number in range(lines)]
        connection.executemany("INSERT INTO line (title, hosts) VALUES (?, ?)", rows)
        connection.executemany(
            "INSERT INTO event (title, line) VALUES (?, 1)", [(a,) for a, _ in rows]
        )
    return time.monotonic() - begun


def run(*arguments: str) -> None:
    """Run a command of the installation; its output is not the subject here."""
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
