"""What the benchmarks share: an embedded stack in a temporary home, and invented events."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def temporary_home(first_hour: datetime = START, kept: Path | None = None) -> Iterator[Path]:
    """An empty CLICKSTREAM_HOME, set in the environment; or one that is kept, with whatever is in it."""
    fleeting = tempfile.TemporaryDirectory(prefix="clickstream-bench-", ignore_cleanup_errors=True)
    with nullcontext(str(kept.absolute())) if kept else fleeting as home:
        for name in ("DW_PG_HOST", "RAW_BUCKET_NAME", "DAGSTER_HOME"):
            os.environ.pop(name, None)
        os.environ["CLICKSTREAM_HOME"] = home
        os.environ["CLICKSTREAM_FIRST_HOUR"] = first_hour.isoformat()
        yield Path(home)
