"""Objects of one event, the smallest that a collector writes: what an object costs a reader, from a folder and from a bucket."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from bucket import NAME, bucket_of
from obstore.store import LocalStore, ObjectStore, S3Store
from one_by_one import load_one_by_one
from ours import fresh_load
from parts import START, claim, fresh_warehouse
from raw_hours import write_hour
from turns import in_turn

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

OBJECTS = 20_000
TARGET = 12_000


def single_events(first: Stack, home: Path, options: argparse.Namespace) -> None:
    """The same objects from a folder and from a bucket, each beside the plain reads of that store."""
    (home / "single").mkdir()
    folder = LocalStore(home / "single")
    objects = write_hour(folder, START, OBJECTS, per_object=1)
    with bucket_of(home / "single") as endpoint:
        stores = {"a folder": folder, "a bucket": _bucket(endpoint)}
        keys = [meta["path"] for page in obstore.list(folder) for meta in page]

        def one_by_one() -> float:
            with fresh_warehouse(first) as stack:
                return load_one_by_one(stack, endpoint, NAME, START)

        fresh_load(first, folder)  # warms up
        for name, store in stores.items():
            ways = {
                "ours": lambda store=store: fresh_load(first, store),
                "reads": lambda store=store: _reads(store, keys),
            }
            if name == "a bucket":
                ways["boto3"] = one_by_one
            taken = in_turn(options.rounds, first, **ways)
            for way in ways:
                print(f"{objects:,} objects of one event from {name}, ", end="")
                taken.tell(way, objects)
            rate = objects / taken.median("ours")
            claim(f"single-event objects a second, from {name}", "none: of this machine", rate, TARGET, at_least=True)
            share, _ = taken.ratio("reads", "ours")
            print(f"of the plain reads of {name} with as many threads, which load nothing: {share:.2f}")
        times, by_cpu = taken.ratio("boto3", "ours")
        text = "load of single-event objects from a bucket"
        claim(text, "boto3, object by object", times, 10, at_least=True, by_cpu=by_cpu)


def _bucket(endpoint: str) -> S3Store:
    return S3Store(
        NAME,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="none",
        secret_access_key="none",
        client_options={"allow_http": True},
    )


def _reads(store: ObjectStore, keys: list[str]) -> float:
    """Seconds of reading the bytes of every object and doing nothing with them."""
    from clickstream_dagster.settings import READ_THREADS

    started = time.perf_counter()
    with ThreadPoolExecutor(READ_THREADS) as pool:
        for _ in pool.map(lambda key: bytes(obstore.get(store, key).bytes()), keys):
            pass
    return time.perf_counter() - started
