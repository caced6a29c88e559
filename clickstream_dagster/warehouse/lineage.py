"""Which column comes from which: read from the SQL of the models by sqlglot.

Reading takes seconds, so the answer travels as `dbt_like_sql/lineage.json`; a test holds it current. Write it again with

    python -m clickstream_dagster.warehouse.lineage
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from clickstream_dagster.warehouse import segment_file
from clickstream_dagster.warehouse.models import Model, all_models

Lineage = Mapping[str, Mapping[str, list[list[str]]]]

#: What a step reads besides models: the copies that were staged, the keys to rebuild. Its columns are a model's own.
_STAGED = {
    "staged_events": "clickstream_events",
    "losing_copies": "clickstream_events",
    "staged_rejects": "rejected_events",
    "staged_objects": "raw_objects",
    "staged_metrics": "operational_metrics",
    "new_dim_source": "dim_source",
    "new_dim_user_agent": "dim_user_agent",
    "new_shop_hosts": "shop_hosts",
}


@cache
def column_lineage() -> Lineage:
    """For each model and column the `[table, column]` pairs it is made of, as last written."""
    found: Lineage = json.loads(files("dbt_like_sql").joinpath("lineage.json").read_text())
    return found


def read_lineage() -> Lineage:
    """The same, read from the SQL now."""
    schema = _schema()
    return {model.name: _columns(model, schema) for model in all_models().values()}


def _columns(model: Model, schema: dict[str, object]) -> dict[str, list[list[str]]]:
    query = qualify(model.tree.copy(), schema=schema, dialect="postgres")
    scope = build_scope(query)
    found = {}
    for column in model.column_names:
        root = lineage(column, query, schema=schema, dialect="postgres", scope=scope, copy=False)
        leaves = {
            (node.source.name, node.name.split(".")[-1].strip('"'))
            for node in root.walk()
            if isinstance(node.source, exp.Table)
        }
        found[column] = sorted(list(leaf) for leaf in leaves if leaf[0] in all_models())
    return found


def _schema() -> dict[str, object]:
    schema: dict[str, object] = {
        model.name: {column.name: column.data_type for column in model.columns} for model in all_models().values()
    }
    schema |= {name: schema[like] for name, like in _STAGED.items()}
    schema["rebuild_keys"] = {str(model.key): "text" for model in all_models().values() if model.key}
    schema["rebuild_spans"] = {"visitor_id": "text", "span": "tstzrange"}
    schema["shop_settings"] = {
        "timezone": "text",
        "currency": "text",
        "funnel_steps": "text[]",
        "session_gap": "interval",
        "funnel_window": "interval",
        "order_events_limit": "integer",
        "order_lines_limit": "integer",
        "attribution_window": "interval",
        "attribution_half_life": "interval",
        "touches_limit": "integer",
        "cart_left_after": "interval",
        "cart_recovery_window": "interval",
        "cart_life": "interval",
        "cart_lines_limit": "integer",
        "step_events_limit": "integer",
        "experiment_window": "interval",
        "variants_limit": "integer",
    }
    schema["segments"] = dict.fromkeys(segment_file.COLUMNS, "text")
    schema["loaded_hours"] = {"partition_hour": "timestamptz", "is_closed": "boolean"}
    return schema


if __name__ == "__main__":
    target = Path(str(files("dbt_like_sql").joinpath("lineage.json")))
    target.write_text(json.dumps(read_lineage(), indent=1, sort_keys=True) + "\n")
    print(f"wrote {target}")
