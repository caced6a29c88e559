"""How long does the collector take to import, which is most of what a cold start costs that we can change?

Run: python bench/import_time.py [rounds]

Every number is the best of the rounds, each in a fresh interpreter, all taken in turn in the same run, so the ratios
hold on any machine though the milliseconds do not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15
NOT_FOR_A_LAMBDA = ("dagster", "pandas", "sqlalchemy", "boto3", "clickstream_dagster")

SUBJECTS = {
    "bare interpreter": "pass",
    "ingest_lambda.handler": "import ingest_lambda.handler",
    "... and its first store": "import ingest_lambda.handler, obstore.store",
    "boto3 (import only)": "import boto3",
    "boto3 (and an S3 client)": "import boto3; boto3.client('s3', region_name='us-east-1')",
}
_MEASURE = """
import time
started = time.perf_counter()
{statement}
elapsed = time.perf_counter() - started
import json, sys
print(json.dumps([elapsed * 1000, [name for name in {names!r} if name in sys.modules]]))
"""


def measure(statement: str) -> tuple[float, list[str]]:
    """Milliseconds that a statement takes in a fresh interpreter, and which heavy modules it brought in."""
    code = _MEASURE.format(statement=statement, names=NOT_FOR_A_LAMBDA)
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    elapsed, heavy = json.loads(ran.stdout)
    return float(elapsed), list(heavy)


def main(rounds: int) -> None:
    """Measure in turn, print a table."""
    best = dict.fromkeys(SUBJECTS, float("inf"))
    for _ in range(rounds):
        for name, statement in SUBJECTS.items():
            elapsed, heavy = measure(statement)
            assert not heavy or "boto3" in name, f"{name} imports {heavy}"
            best[name] = min(best[name], elapsed)
    start = startup(rounds)
    collector = best["ingest_lambda.handler"]
    print(f"python {sys.version.split()[0]}, best of {rounds}; interpreter start to exit {start:.1f} ms")
    for name, elapsed in best.items():
        print(
            f"{name:26} {elapsed:8.1f} ms   {elapsed / collector:6.2f} x the collector   {elapsed / start:5.2f} x start"
        )


def startup(rounds: int) -> float:
    """Milliseconds from start to exit of an interpreter that does nothing."""
    import time

    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
