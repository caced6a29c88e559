"""Erasing in a bucket with versions: neither an object nor an older version of one keeps a byte of the ids."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from test_erase_visitor import (
    END,
    IDS,
    LAPTOP,
    PHONE,
    START,
    USER,
    history,
    is_hers,
    materialize,
    unlike,
    write,
    written,
)

from clickstream_dagster.raw import erased
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.erasing.erase import erase
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.packing.hours import pack_hours, packable_prefixes
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda.settings import open_store
from support.aws import versioned_bucket
from support.tables import dump


@pytest.fixture
def bucket() -> str:
    return f"raw-{uuid4()}"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, bucket: str) -> Iterator[Any]:
    """A store with a bucket that keeps versions."""
    with versioned_bucket(bucket, monkeypatch) as made:
        yield made


def versions(s3: Any, bucket: str) -> list[tuple[str, bytes]]:
    listed = [
        one for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket) for one in page["Versions"]
    ]
    read = [
        (one["Key"], s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read())
        for one in listed
    ]
    return [(key, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data) for key, data in read]


@pytest.mark.parametrize("grace", [None, timedelta(days=999), timedelta(days=-1)], ids=["small", "both", "packed"])
def test_no_version_keeps_a_byte(
    make_stack: Callable[..., Stack], s3: Any, bucket: str, grace: timedelta | None
) -> None:
    held = history()
    never = make_stack()
    write(never.settings.home / "raw", written(held, is_hers_out=True))
    expected = materialize(never)
    for key, data in written(held, is_hers_out=False).items():
        s3.put_object(Bucket=bucket, Key=key, Body=data)
    store = open_store(bucket)
    with make_stack().warehouse() as connection:
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        if grace:
            packed = pack_hours(connection, store, packable_prefixes(connection, store), grace)
            assert packed
        assert any(is_hers(data) for _, data in versions(s3, bucket))
        erase(connection, store, [(erased.VISITOR, PHONE), (erased.VISITOR, LAPTOP), (erased.USER, USER)])
        rebuild_all(connection)
        assert unlike(dump(connection), expected) == {}
        assert [key for key, data in versions(s3, bucket) if is_hers(data)] == []
        assert not any(one in key for key, _ in versions(s3, bucket) for one in IDS)
    # Nothing of anybody else is lost, and nobody comes back.
    with make_stack().warehouse() as connection:
        load_hours(connection, store, START, END)
        rebuild_all(connection)
        assert unlike(dump(connection), expected) == {}
