"""dlt's load of the same files into the same server. Runs in the peers' own environment (see bench/peers.py).

Run: python bench/peer_dlt.py FOLDER CREDENTIALS {dicts,arrow} {insert_values,csv,parquet}

Prints the seconds of `pipeline.run` and how many rows the table has then. One table, nested values as JSON, as ours has it; of
copies of an event the one received first stays. dlt's process pool normalizes, its threads extract and load.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

WORKERS = os.cpu_count() or 2
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "EXTRACT__WORKERS": str(4 * WORKERS),
    "NORMALIZE__WORKERS": str(WORKERS),
    "LOAD__WORKERS": str(2 * WORKERS),
    # So large that nothing waits for files, so small that the workers share them.
    "DATA_WRITER__FILE_MAX_ITEMS": "50000",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
}

import dlt  # noqa: E402
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402
from dlt.sources.filesystem import filesystem, read_jsonl  # noqa: E402

_TIMES = ("event_timestamp", "received_at", "sent_at", "client_timestamp")
_TEXTS = (
    *(
        "event_id",
        "event_name",
        "client_id",
        "session_id",
        "user_id",
        "user_login_state",
        "identity_source",
        "page_url",
    ),
    *("page_title", "referrer", "time_source", "currency", "search_query", "consent", "user_agent", "tracker_version"),
)
_NESTED = ("device", "geo", "product", "order", "props")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.timestamp("us", "UTC")) for name in _TIMES),
        *((name, pa.bool_()) for name in ("is_first_visit", "is_gpc", "is_dnt")),
        ("quantity", pa.int64()),
        *((name, pa.string()) for name in _NESTED),
    ]
)


@dlt.transformer(parallelized=True)
def read_arrow(files: Any) -> Iterator[pa.Table]:
    """Tables of a page of files, which dlt takes past its normalizer."""
    rows = []
    for file in files:
        for line in file.read_bytes().split(b"\n"):
            row = orjson.loads(line)
            for name in _NESTED:
                if name in row:
                    row[name] = orjson.dumps(row[name]).decode()
            rows.append(row)
    table = pa.Table.from_pylist(rows, _TEXT_TIMES)
    yield table.cast(_SCHEMA)


_TEXT_TIMES = pa.schema([(field.name, pa.string() if field.name in _TIMES else field.type) for field in _SCHEMA])


def main(folder: str, credentials: str, way: str, form: str) -> None:
    hints = {"received_at": {"dedup_sort": "asc"}, **{name: {"data_type": "json"} for name in _NESTED}}
    with tempfile.TemporaryDirectory(prefix="clickstream-bench-") as state:
        files = filesystem(bucket_url=folder, file_glob="**/*.json", files_per_page=100)
        rows = (files | (read_arrow() if way == "arrow" else read_jsonl(chunksize=5_000))).with_name("events")
        rows.apply_hints(
            write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            primary_key="event_id",
            columns=hints,
        )
        rows.max_table_nesting = 0
        pipeline = dlt.pipeline(
            "bench", pipelines_dir=state, destination=dlt.destinations.postgres(credentials), dataset_name="dlt_bench"
        )
        started = time.perf_counter()
        pipeline.run(rows, loader_file_format=form)
        elapsed = time.perf_counter() - started
        with pipeline.sql_client() as client:
            print(elapsed, client.execute_sql("select count(*) from events")[0][0])
            client.drop_dataset()


if __name__ == "__main__":
    main(*sys.argv[1:])
