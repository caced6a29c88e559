"""What has changed and is still to be rebuilt, key by key and model by model (tables `changed_keys`, `changed_spans`)."""

from __future__ import annotations

from psycopg2 import sql

from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model, all_models, stored_readers

#: What is owed to a sum as a whole, and not date by date.
EVERYTHING = "everything"
#: Every value that a key column can have. Used when a model is new or its SQL has changed: then all of it is owed.
_UNIVERSE = {
    "session_key": "select session_key from fact_sessions",
    "visitor_id": "select distinct visitor_id from fact_sessions",
    "person_id": "select distinct person_id from fact_visitor_days",
    "order_id": "select distinct order_key from clickstream_events where order_key is not null",
    "product_id": """
        select product_id from fact_session_products
        union select product_id from fact_order_items where product_id is not null""",
    "partition_hour": "select partition_hour from loaded_hours union select partition_hour from raw_objects",
}


def owe_keys(cursor: Cursor, model: str, select: str | sql.Composable, *arguments: object) -> None:
    """Owe the model a rebuild of the keys that a one-column SELECT gives."""
    insert = sql.SQL("insert into changed_keys (model, key) select {model}, key::text from ({select}) as t (key)")
    chosen = sql.SQL(select) if isinstance(select, str) else select
    cursor.execute(insert.format(model=sql.Literal(model), select=chosen), arguments or None)


def owe_spans(cursor: Cursor, select: str) -> None:
    """Owe the sessions around the events that a SELECT of (visitor_id, event_timestamp) gives."""
    cursor.execute(f"""
        insert into changed_spans (visitor_id, spans)
        select
            t.visitor_id,
            range_agg(tstzrange(
                t.event_timestamp - shop_settings.session_gap, t.event_timestamp + shop_settings.session_gap, '[]'
            ))
        from ({select}) as t (visitor_id, event_timestamp)
        cross join shop_settings
        group by t.visitor_id
        """)


def owe_readers(cursor: Cursor, model: Model) -> None:
    """Owe every reader of `model` the keys that it finds in `removed_rows` and `added_rows`, or by them."""
    for reader in stored_readers(model.name):
        if model.name in reader.found_by:
            owe_keys(cursor, reader.name, reader.found_by[model.name])
        elif reader.key and reader.key in model.column_names:
            keys = sql.SQL("""
                select {key} from removed_rows where {key} is not null
                union select {key} from added_rows where {key} is not null""")
            owe_keys(cursor, reader.name, keys.format(key=sql.Identifier(reader.key)))


def owe_all(cursor: Cursor, model: Model) -> None:
    """Owe the model a rebuild of everything it can hold."""
    if model.materialized == "spans":
        owe_spans(cursor, "select visitor_id, event_timestamp from clickstream_events")
    elif model.materialized == "sum":
        owe_keys(cursor, model.name, sql.SQL("select {}").format(sql.Literal(EVERYTHING)))
    elif model.key:
        own = sql.SQL("select {key} from {table}").format(
            key=sql.Identifier(model.key), table=sql.Identifier(model.name)
        )
        owe_keys(cursor, model.name, sql.SQL("{all} union {own}").format(all=sql.SQL(_UNIVERSE[model.key]), own=own))


def take(cursor: Cursor, model: str) -> list[str]:
    """The model's owed keys, which are owed no more once this transaction commits."""
    cursor.execute("delete from changed_keys where model = %s returning key", (model,))
    return sorted({key for (key,) in cursor.fetchall()})


def take_keys(cursor: Cursor, model: Model) -> int:
    """Move the model's owed keys into the temporary table `rebuild_keys`; how many there are."""
    assert model.key
    cursor.execute(
        sql.SQL("""
            create temporary table rebuild_keys on commit drop as
            with taken as (delete from changed_keys where model = {model} returning key)
            select distinct key::{type} as {key} from taken
            """).format(
            model=sql.Literal(model.name),
            type=sql.SQL(_key_type(model)),
            key=sql.Identifier(model.key),
        )
    )
    keys = cursor.rowcount
    if keys:
        cursor.execute("analyze rebuild_keys")
    return keys


def owed(cursor: Cursor) -> dict[str, int]:
    """How many keys each model is owed; empty when every table is up to date."""
    cursor.execute("""
        select model, count(distinct key) from changed_keys group by model
        union all
        select 'fact_sessions', count(distinct visitor_id) from changed_spans having count(*) > 0
        """)
    return {name: int(count) for name, count in cursor.fetchall()}


def waiting(cursor: Cursor) -> set[str]:
    """The models that are owed anything. Cheaper than `owed`: a step through the index for each model, and no count."""
    cursor.execute("""
        with recursive models as (
            (select model from changed_keys order by model limit 1)
            union all
            select (
                select changed_keys.model from changed_keys
                where changed_keys.model > models.model order by changed_keys.model limit 1
            )
            from models where models.model is not null
        )
        select model from models where model is not null
        union
        select 'fact_sessions' where exists (select from changed_spans)
        """)
    return {name for (name,) in cursor.fetchall()}


def _key_type(model: Model) -> str:
    return next(column.data_type for column in all_models()[model.name].columns if column.name == model.key)
