"""The rebuild that a person asks for: a model's rows of some local dates, whether anything of them has changed or not."""

from __future__ import annotations

from datetime import date

from psycopg2 import sql

from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.models import Model


def owe_dates(connection: Connection, model: Model, first: date, last: date) -> None:
    """Owe a model the rows of these dates, both included."""
    sessions_of = sql.SQL("select {columns} from fact_sessions where local_date between %s and %s")
    with transaction(connection) as cursor:
        if model.materialized == "spans":
            cursor.execute(
                "create temporary table asked on commit drop as "
                "select visitor_id, started_at from fact_sessions where local_date between %s and %s",
                (first, last),
            )
            changes.owe_spans(cursor, "select visitor_id, started_at from asked")
            return
        by_key = {
            "session_key": sessions_of.format(columns=sql.SQL("session_key")),
            "visitor_id": sessions_of.format(columns=sql.SQL("distinct visitor_id")),
            "person_id": sql.SQL("select distinct person_id from fact_visitor_days where local_date between %s and %s"),
            "order_id": sql.SQL("select order_id from fact_orders where local_date between %s and %s"),
            "product_id": sql.SQL(
                "select distinct product_id from fact_session_products where local_date between %s and %s"
            ),
            "partition_hour": sql.SQL(
                "select partition_hour from loaded_hours where (partition_hour at time zone 'UTC')::date between %s and %s"
            ),
        }
        if model.materialized == "sum":
            days = "select generate_series(%s::date, %s::date, interval '1 day')::date"
            changes.owe_keys(cursor, model.name, days, first, last)
        elif model.key:
            changes.owe_keys(cursor, model.name, by_key[model.key], first, last)
