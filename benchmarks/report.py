"""When an audit of jiang2024 has the referee's table on the screen, and when the page: `python benchmarks/report.py`.

With `--full` the whole report is made instead. Everything is made anew in folders that are thrown away.
"""

import subprocess
import sys
import tempfile
from time import perf_counter

TABLE_LIMIT, PAGE_LIMIT = 15.0, 90.0


def main() -> None:
    """Print both times, and how many lines the screen has at the end."""
    with tempfile.TemporaryDirectory() as folder:
        places = ["--store", f"{folder}/runs", "--out", f"{folder}/report"]
        command = [sys.executable, "-u", "-m", "boundcheck", "audit", "jiang2024", *places, *sys.argv[1:]]
        began, table, lines = perf_counter(), 0.0, 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            for line in process.stdout or ():
                lines += 1
                # The last finding of the paper.
                if line.lstrip().startswith("22 "):
                    table = perf_counter() - began
        page = perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the audit ended with exit code {process.returncode}")
    print(f"table: {table:.1f} s of {TABLE_LIMIT:g} s ({table / TABLE_LIMIT:.2f})")
    print(f"page: {page:.1f} s of {PAGE_LIMIT:g} s ({page / PAGE_LIMIT:.2f}); {lines} lines on the screen")


if __name__ == "__main__":
    main()
