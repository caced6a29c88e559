"""`clickstream pack`, its job and its schedule: on a folder and on S3, with everything around them real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from obstore.store import ObjectStore, S3Store

from clickstream_dagster import resources
from clickstream_dagster.cli import packing
from clickstream_dagster.cli.packing import pack_command
from clickstream_dagster.definitions import defs
from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw.objects import list_as_stored
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from ingest_lambda import landing
from support.aws import moto_bucket
from support.tables import differences, dump, empty

START = datetime(2026, 5, 1, 7, tzinfo=UTC)
END = START + 2 * HOUR


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Store]:
    with moto_bucket("raw-to-pack") as store:
        yield store


@pytest.fixture(params=["folder", "bucket"])
def used(request: pytest.FixtureRequest, stack: Stack, bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A warehouse with two loaded hours, one of which has rejects."""
    if request.param == "bucket":
        vars(stack)["store"] = bucket
    monkeypatch.setattr(packing, "load_settings", lambda: stack.settings)
    monkeypatch.setattr(packing, "Stack", lambda settings, keeps_settings: stack)
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    for raw in list_as_stored(stack.store, START, END):
        stack.store.delete(raw.key)
    for number in range(30):
        at = START + HOUR * (number % 2)
        times = f'"event_timestamp": "{at.isoformat()}", "received_at": "{at.isoformat()}"'
        line = f'{{"event_id": "{UUID(int=number)}", "event_name": "click", "client_id": "c{number}", {times}}}'
        stack.store.put(landing.event_key(at, UUID(int=number)), f"{line}\npoison".encode())
        if number < 5:
            stack.store.put(landing.rejected_key(START, UUID(int=number)), b"{}")
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, START, END)
    return stack


def keys(store: ObjectStore) -> list[str]:
    return [raw.key for raw in list_as_stored(store, START, END)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pack_command, arguments, catch_exceptions=False)


def test_small_objects_become_packs_that_an_empty_warehouse_is_loaded_from(used: Stack) -> None:
    with used.warehouse() as connection:
        rebuild_all(connection)
        expected = dump(connection)
    assert "Would pack 35 objects" in run("--dry-run").output
    assert len(keys(used.store)) == 35
    said = " ".join(run().output.split())
    assert "Packed 35 objects" in said and "into 3 packs" in said and "They are deleted in 7 days." in said
    assert len(keys(used.store)) == 35 + 2 * 3
    assert "Nothing to pack" in run().output
    object.__setattr__(used.settings, "pack_grace_days", 0)
    assert "Would delete 35 objects" in run("--dry-run").output
    assert "Deleted 35 objects" in run().output
    assert sorted({key.rpartition("/packed-")[0] for key in keys(used.store)}) == sorted(
        landing.hour_prefix(hour, root).rstrip("/")
        for hour, root in ((START, "events"), (START + HOUR, "events"), (START, "rejected"))
    )
    with used.warehouse() as connection:
        assert load_hours(connection, used.store, START, END).objects == 0
        empty(connection)
        assert load_hours(connection, used.store, START, END).objects == 35
        rebuild_all(connection)
        assert differences(expected, dump(connection)) == {}


def test_a_range_packs_no_other_hour(used: Stack) -> None:
    assert "Packed 15 objects" in run("--from", "2026-05-01T08:00", "--to", "2026-05-01T08:00").output
    refused = run("--from", "2026-05-02", "--to", "2026-05-01")
    assert refused.exit_code == 2 and "swap them" in refused.output


def test_a_broken_pack_is_named_and_the_command_fails(used: Stack) -> None:
    run("--to", "2026-05-01T07:00")
    object.__setattr__(used.settings, "pack_grace_days", 0)
    [pack] = [key for key in keys(used.store) if landing.pack_of(key) == key and key.startswith("events/")]
    used.store.put(pack, b"broken", mode="overwrite")
    found = run()
    assert found.exit_code == 1
    assert pack in found.output.replace("\n", "") and "Restore" in found.output


def test_the_job_does_the_same(used: Stack) -> None:
    with dg.instance_for_test() as instance:
        config = {"ops": {"pack_closed_hours": {"config": {"first_hour": "2026-05-01T08:00Z"}}}}
        result = defs.resolve_job_def("raw_packs").execute_in_process(instance=instance, run_config=config)
        assert result.success
        assert defs.resolve_job_def("raw_packs").execute_in_process(instance=instance).success
    assert len([key for key in keys(used.store) if landing.pack_of(key) == key]) == 3
