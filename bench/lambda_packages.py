"""What do the Lambda packages cost: size, cold start, memory, connections to the database?

Run: python bench/lambda_packages.py [rounds]   (as root, because the sandbox mounts)

Each package runs as in tests/infra_cfn: read-only, by Lambda's own client, on this machine's processor, so that the seconds
are this machine's and not Lambda's (1,769 MB give one processor there). A cold start is measured with and without the compiled
files, best of the rounds; the first tick runs on an empty hour and creates the tables, the second is what an hour costs.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from clickstream_dagster.warehouse.connection import connect, transaction  # noqa: E402
from infra_cfn.packages.archive import write_zip  # noqa: E402
from infra_cfn.packages.build import UNPACKED_LIMIT  # noqa: E402
from infra_cfn.packages.contents import ETL, INGEST, Contents  # noqa: E402
from ingest_lambda import contract, landing  # noqa: E402
from ingest_lambda.contract import Event  # noqa: E402
from support.clouds import Cloud, cloud  # noqa: E402
from support.lambdas import running  # noqa: E402
from support.packages import unpacked  # noqa: E402

ROUNDS = 3
EVENTS = 1_000
MB = 1024 * 1024
HANDLERS = {
    "ingest_lambda": "ingest_lambda.handler.handler",
    "etl_lambda": "clickstream_dagster.lambda_entrypoint.handler",
}


def main(rounds: int) -> None:
    """Measure both packages, print a line for each number."""
    with cloud() as aws, tempfile.TemporaryDirectory() as folder:
        request = json.loads((ROOT / "tests" / "events" / "request_v2.json").read_text())
        measure(INGEST, aws, request, rounds, Path(folder))
        put_events(aws)
        measure(ETL, aws, {"targetUtcHour": "2025-12-06T05:00:00Z"}, rounds, Path(folder))


def measure(contents: Contents, aws: Cloud, event: object, rounds: int, folder: Path) -> None:
    """Sizes, then cold starts with and without compiled files, then what a warm call takes."""
    with unpacked(contents) as package:
        size = write_zip(package, folder / "package.zip")
        packed = (folder / "package.zip").stat().st_size
        print(
            f"{contents.name}: zip {packed / MB:.1f} MB, unpacked {size / MB:.1f} MB, {1 - size / UNPACKED_LIMIT:.0%} to spare"
        )
        starts = [cold_start(contents, package, aws, event, folder) for _ in range(rounds)]
        best = min(init + first for init, first, *_ in starts)
        init, first, second, memory, sessions = min(starts, key=lambda start: start[0] + start[1])
        print(
            f"  cold: {init:.2f} s until the first event is asked for, {first:.2f} s for the first; then {second * 1000:.0f} ms"
        )
        print(f"  peak memory {memory:.0f} MB; connections to PostgreSQL in the second call: {sessions}")
        for compiled in [*package.rglob("__pycache__")]:
            shutil.rmtree(compiled)
        slow = min(sum(cold_start(contents, package, aws, event, folder)[:2]) for _ in range(rounds))
        print(f"  without compiled files the cold start takes {slow:.2f} s instead of {best:.2f} ({slow / best:.2f} x)")


def cold_start(
    contents: Contents, package: Path, aws: Cloud, event: object, folder: Path
) -> tuple[float, float, float, float, int]:
    """Seconds of the start, of the first and of the second call, megabytes, and connections of the second call."""
    with running(package, HANDLERS[contents.name], folder / "log", **aws.environ) as function:
        first = function.invoke(event).seconds
        before = sessions(aws)
        second = function.invoke(event).seconds
        return function.init_seconds, first, second, function.peak_megabytes, sessions(aws) - before


def sessions(aws: Cloud) -> int:
    """Connections that the two databases have ever had."""
    connection = connect(aws.administrator)
    with transaction(connection) as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
        cursor.execute("select sum(sessions) from pg_stat_database where datname in ('clickstream_dw', 'dagster')")
        [(count,)] = cursor.fetchall()
    connection.close()
    return int(count)


def put_events(aws: Cloud) -> None:
    """An hour of events of a hundred visitors, in ten objects."""
    from datetime import UTC, datetime, timedelta

    hour = datetime(2025, 12, 6, 5, tzinfo=UTC)
    for number in range(10):
        times = [hour + timedelta(seconds=3.5 * place + number) for place in range(EVENTS // 10)]
        lines = [
            contract.encode(Event(uuid4(), "page_view", time, time, client_id=f"visitor-{place % 100}"))
            for place, time in enumerate(times)
        ]
        key = landing.event_key(hour, uuid4())
        aws.client("s3").put_object(Bucket=aws.bucket, Key=key, Body=b"\n".join(lines))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
