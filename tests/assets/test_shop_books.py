"""The job that reads the shop's orders, as Dagster runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest

from clickstream_dagster import resources
from clickstream_dagster.definitions import defs
from clickstream_dagster.settings import Postgres
from clickstream_dagster.stack import Stack
from support.reconciling import placed
from support.shops import Shop
from support.stories import event, rows, tell

PASSWORD = "s3cr3t-of-the-shop"


@pytest.fixture
def connected(
    make_stack: Callable[..., Stack], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> tuple[Stack, Shop]:
    """A warehouse that is connected to a shop with three orders, none of which events tell of."""
    stack, shop = make_stack(), Shop(postgres)
    stack.settings = replace(stack.settings, shop=replace(shop.reader, password=PASSWORD))
    monkeypatch.setattr(resources, "_stack", lambda: stack)
    for number in range(3):
        placed(shop, f"order {number}", {"at": f"{number + 100} 10:00", "lines": [["mug", 1, 10]], "currency": "USD"})
    tell(stack, event("1 08:30"))
    return stack, shop


def run(**config: object) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def("shop_books")
    given = {"ops": {"shop_orders": {"config": config}}} if config else {}
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, run_config=given, raise_on_error=False)


def test_the_job_reads_compares_and_warns(connected: tuple[Stack, Shop]) -> None:
    stack, _ = connected
    done = run()
    assert done.success
    [made] = done.asset_materializations_for_node("shop_orders")
    assert (made.metadata["orders"].value, made.metadata["changed"].value) == (3, 3)
    assert "dagster/column_lineage" in made.metadata
    [checked] = [one for one in done.get_asset_check_evaluations() if one.check_name == "shop_orders_arrive"]
    assert (checked.passed, checked.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert checked.description == "0.0 % of 3 orders and 0.0 % of revenue arrived by events in 28 days; 3 did not."
    again = run(everything=True)
    [made] = again.asset_materializations_for_node("shop_orders")
    assert (made.metadata["orders"].value, made.metadata["changed"].value) == (3, 0)
    assert rows(stack, "select count(*) from shop_orders") == [(3,)]


def test_a_shop_that_does_not_answer_fails_its_own_job_without_the_password(
    connected: tuple[Stack, Shop], capfd: pytest.CaptureFixture[str]
) -> None:
    stack, shop = connected
    stack.settings = replace(stack.settings, shop=replace(shop.reader, host="127.0.0.1", port=9, password=PASSWORD))
    done = run()
    assert not done.success
    said = "".join(str(one) for one in done.all_events) + "".join(capfd.readouterr())
    assert "SHOP_PG_" in said
    assert PASSWORD not in said


def test_without_a_shop_the_job_has_nothing_to_do(connected: tuple[Stack, Shop]) -> None:
    stack, _ = connected
    stack.settings = replace(stack.settings, shop=None)
    assert run().success
    assert rows(stack, "select count(*) from shop_orders") == [(0,)]


def test_the_hours_do_not_wait_for_the_shop() -> None:
    def assets(job: str) -> set[str]:
        return {key.to_user_string() for key in defs.resolve_job_def(job).asset_layer.executable_asset_keys}

    assert "shop_orders" not in assets("hourly_clickstream")
    assert {"order_reconciliation", "fact_orders"} <= assets("hourly_clickstream")
    assert assets("shop_books") == {"shop_orders", "order_reconciliation", "daily_reconciliation"}
