"""The canary, from a real collector into a bucket and a warehouse; and where smoke says that it stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn

from clickstream_dagster.local.gateway.app import app
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from infra_cfn.commands import smoke
from infra_cfn.commands.account import Trouble, client
from ingest_lambda.canary import USER_AGENT, new
from ingest_lambda.handler import collect
from ingest_lambda.settings import open_store


@pytest.fixture
def api(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The collector behind its gateway, writing into a bucket of moto."""
    client("s3").create_bucket(Bucket="raw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("CLICKSTREAM_ALLOWED_ORIGINS", "https://shop.example")
    config = uvicorn.Config(app(open_store("raw")), port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_a_canary_is_collected_and_found_in_its_hour(api: str) -> None:
    began = datetime.now(UTC)
    canary = new(began)
    smoke.collected(f"{api}/clickstream", canary, "https://shop.example")
    smoke.collected(f"{api}/clickstream", new(datetime.now(UTC)), "https://shop.example")
    hour = smoke.stored("raw", canary, began)
    assert timedelta(0) <= datetime.now(UTC) - hour < timedelta(hours=1, minutes=1)
    assert (hour.minute, hour.second) == (0, 0)


def test_a_canary_arrives_and_is_in_no_table_of_events(stack: Stack) -> None:
    now = datetime.now(UTC)
    canary = new(now)
    request = {
        "rawPath": "/clickstream",
        "headers": {"user-agent": USER_AGENT},
        "requestContext": {"http": {"method": "POST"}},
        "body": json.dumps({"events": canary.events()}),
    }
    assert collect(request, store=stack.store, received_at=now)["statusCode"] == 200
    with stack.warehouse() as connection:
        load_hours(connection, stack.store, floor_hour(now), floor_hour(now) + timedelta(hours=1))
        with transaction(connection) as cursor:
            cursor.execute(smoke.question(canary))
            assert cursor.fetchone() == (5,)
        rebuild_all(connection)
        with transaction(connection) as cursor:
            cursor.execute("select count(*) from clickstream_events union all select count(*) from fact_sessions")
            assert cursor.fetchall() == [(0,), (0,)]


def test_smoke_says_where_it_stopped(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Trouble, match=r"^Step 1, the API: .* answered 403, .*origin_not_allowed"):
        smoke.collected(f"{api}/clickstream", new(datetime.now(UTC)), "https://evil.example")
    with pytest.raises(Trouble, match=r"^Step 1, the API: .* does not answer"):
        smoke.collected("http://127.0.0.1:9/clickstream", new(datetime.now(UTC)), "")
    monkeypatch.setattr(smoke, "STORED_SECONDS", 0)
    with pytest.raises(Trouble, match=r"^Step 2, storage: no object"):
        smoke.stored("raw", new(datetime.now(UTC)), datetime.now(UTC))
