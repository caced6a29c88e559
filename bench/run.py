"""Run the benchmarks one after the other, and say at the end what each claim came to.

Run: python bench/run.py [NAME [its arguments]], as in `make bench ARGS="loading --rounds 3"`; without a name, all of them.
Ends with 1 when one of them could not run. A claim that does not hold ends nothing: the machine may be to blame.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from parts import CLAIMS

HERE = Path(__file__).resolve().parent
#: What `make bench` runs, the quick ones first. `hour_cost --large` takes hours, and waits to be asked for.
BENCHMARKS = (
    *("import_time", "tracker_size", "lambda_packages", "gateway", "importing", "packing"),
    *("loading", "whole_hour", "whole_hour --memory", "tick", "hour_cost", "last_hour", "year_of_hours"),
    *("dashboard_pages", "dashboard_soak"),
)
HEADS = ("claim", "limit or peer", "by the clock", "by CPU", "target", "")


def main(asked: list[str]) -> int:
    failed = []
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as folder:
        claims = Path(folder) / "claims"
        for command in [" ".join(asked)] if asked else BENCHMARKS:
            name, *arguments = command.split()
            print(f"== {command}", flush=True)
            file = HERE / f"{name}.py"
            if not file.exists():
                print(f"There is no {file.name}. The benchmarks: {', '.join(BENCHMARKS)}.")
                return 2
            environment = {**os.environ, CLAIMS: str(claims)}
            if subprocess.run([sys.executable, str(file), *arguments], env=environment).returncode:
                failed.append(command)
        if claims.exists():
            summary([json.loads(line) for line in claims.read_text().splitlines()])
    if failed:
        print(f"\nDid not run to its end: {', '.join(failed)}")
    return 1 if failed else 0


def summary(claims: list[list[str]]) -> None:
    """One line for each claim, in columns."""
    rows = [list(HEADS), *claims]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADS))]
    print()
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
