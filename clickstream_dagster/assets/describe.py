"""What the Dagster UI shows of a table, read from its SQL and .yml: schema, column lineage, owners, kinds.

The open-source UI draws no graph of column lineage; it stands on each materialization, and in words with each column.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from clickstream_dagster.warehouse.lineage import column_lineage
from clickstream_dagster.warehouse.models import Column, Model

OWNERS = ["team:analytics"]


def definition_metadata(model: Model) -> dict[str, Any]:
    """Metadata that the definition of a table carries."""
    return {
        "dagster/column_schema": dg.TableSchema(columns=[_column(model, column) for column in model.columns]),
        "dagster/relation_identifier": f"public.{model.name}",
        "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
    }


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
