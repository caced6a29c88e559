"""A warehouse whose limits are so low that a random history reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from clickstream_dagster.settings import Postgres, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import shop_settings
from clickstream_dagster.warehouse.connection import create_database


@contextmanager
def low_limits(postgres: Postgres, name: str, home: Path, **environ: str) -> Iterator[Stack]:
    """A stack on a database of its own, until the block ends: more than two purchases or refunds of an order are too many."""
    create_database(postgres, name)
    chosen = load_settings({"CLICKSTREAM_HOME": str(home), **environ})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop_settings, "ORDER_EVENTS_LIMIT", 2)
        yield Stack(replace(chosen, postgres=replace(postgres, database=name)))
