"""What Dagster loads."""

from __future__ import annotations

import os

import dagster as dg

from clickstream_dagster.assets.events import clickstream_events, side_tables
from clickstream_dagster.assets.models import model_assets
from clickstream_dagster.assets.operations import operational_metrics
from clickstream_dagster.assets.shop_orders import shop_orders
from clickstream_dagster.checks import (
    books_balance,
    canary_visits_arrive,
    every_object_has_a_place,
    latest_closed_hour_is_loaded,
    nothing_is_out_of_the_ordinary,
    shop_orders_arrive,
)
from clickstream_dagster.jobs import expiry, hourly_clickstream, open_lake, raw_packs, report_mails, shop_books
from clickstream_dagster.resources import Platform, hold_embedded_postgres
from clickstream_dagster.schedules import (
    closed_hour,
    daily_expiry,
    daily_packs,
    hour_in_progress,
    hourly_canary,
    hourly_lake,
    hourly_shop_orders,
    morning_reports,
)
from clickstream_dagster.sensors import late_objects

if "CLICKSTREAM_DAGSTER_URL" in os.environ:
    # A code server under `dagster dev`: the embedded PostgreSQL must not end with the command that started it.
    hold_embedded_postgres()

defs = dg.Definitions(
    assets=[clickstream_events, *side_tables, *model_assets, operational_metrics, shop_orders],
    asset_checks=[
        books_balance,
        latest_closed_hour_is_loaded,
        every_object_has_a_place,
        nothing_is_out_of_the_ordinary,
        canary_visits_arrive,
        shop_orders_arrive,
    ],
    jobs=[hourly_clickstream, shop_books, raw_packs, open_lake, expiry, report_mails],
    schedules=[
        closed_hour,
        hour_in_progress,
        hourly_canary,
        hourly_shop_orders,
        daily_packs,
        hourly_lake,
        daily_expiry,
        morning_reports,
    ],
    sensors=[late_objects],
    resources={"platform": Platform()},
    # Steps run one after another in this process: Lambda has no shared memory for others, and the locks would queue them.
    executor=dg.in_process_executor,
)
