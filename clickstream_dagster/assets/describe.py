"""What the Dagster UI shows of a table, read from its SQL and .yml: schema, column lineage, owners, kinds, where its SQL lies and
which page shows it.

The open-source UI draws no graph of column lineage; it stands on each materialization, and in words with each column.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg

from clickstream_dagster.settings import load_dashboard_url
from clickstream_dagster.warehouse.lineage import column_lineage
from clickstream_dagster.warehouse.models import Column, Model

OWNERS = ["team:analytics"]
#: An hour is loaded five minutes after it has ended: after two it is late, after a day somebody must look.
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=2))
#: Page of the dashboard -> the tables that it is mainly made of.
PAGES = {
    "overview": (
        *("agg_daily_traffic", "agg_hourly_traffic", "agg_daily_revenue", "agg_hourly_orders", "agg_hourly_events"),
        *("agg_daily_browsers", "anomalies", "fact_orders"),
    ),
    "funnel": ("agg_daily_funnel", "agg_daily_category_funnel", "fact_visitor_funnels"),
    "own_funnel": ("fact_session_steps",),
    "journeys": ("agg_daily_paths",),
    "products": (
        *("agg_daily_products", "agg_daily_product_segments", "fact_session_baskets", "fact_session_products"),
        *("fact_order_items", "dim_product"),
    ),
    "carts": ("fact_carts", "agg_daily_carts", "agg_daily_cart_products"),
    "acquisition": ("agg_daily_acquisition", "agg_daily_pages", "agg_daily_page_segments"),
    "attribution": ("agg_daily_attribution", "agg_daily_touch_paths"),
    "customers": (
        *("fact_customers", "fact_customer_orders", "agg_daily_customers", "agg_customer_cohorts", "customer_rfm"),
        *("segment_members", "dim_person"),
    ),
    "experiments": ("agg_experiment_variants",),
    "search": ("agg_daily_search", "fact_session_searches", "fact_session_refinements"),
    "reliability": (
        *("etl_ledger", "rejected_events", "canary_visits", "operational_metrics", "order_reconciliation"),
        "daily_reconciliation",
    ),
}
_PAGE_OF = {table: page for page, tables in PAGES.items() for table in tables}


def definition_metadata(model: Model) -> dict[str, Any]:
    """Metadata that the definition of a table carries."""
    return {
        "dagster/column_schema": dg.TableSchema(columns=[_column(model, column) for column in model.columns]),
        "dagster/relation_identifier": f"public.{model.name}",
        "sql file": dg.MetadataValue.path(f"dbt_like_sql/models/{model.layer}/{model.name}.sql"),
        "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
        **_shown_on(model.name),
    }


def _shown_on(table: str) -> dict[str, Any]:
    """A link to the page of the dashboard, where its address is known."""
    page, dashboard = _PAGE_OF.get(table), load_dashboard_url()
    if not page or not dashboard:
        return {}
    return {"dashboard page": dg.MetadataValue.url(f"{dashboard.rstrip('/')}/?page={page}")}


def lineage_metadata(model: Model) -> dict[str, Any]:
    """Metadata that each materialization carries, because that is where the UI looks for column lineage."""
    columns = column_lineage().get(model.name, {})
    deps = {
        column: [dg.TableColumnDep(asset_key=dg.AssetKey(table), column_name=name) for table, name in pairs]
        for column, pairs in columns.items()
    }
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps),
        "dagster/column_schema": dg.TableSchema(columns=[_column(model, column) for column in model.columns]),
    }


def _column(model: Model, column: Column) -> dg.TableColumn:
    tests = {name for name, _ in column.tests}
    origins = ", ".join(".".join(pair) for pair in column_lineage().get(model.name, {}).get(column.name, []))
    return dg.TableColumn(
        name=column.name,
        type=column.data_type,
        description=f"{column.description} Made of {origins}." if origins else column.description,
        constraints=dg.TableColumnConstraints(nullable="not_null" not in tests, unique="unique" in tests),
    )
