"""Millions of events that came before, made by the server itself: visits of twelve events over a hundred days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parts import START

if TYPE_CHECKING:
    from clickstream_dagster.stack import Stack

#: The first day after it.
DAYS = 100

HISTORY = """
insert into clickstream_events (
    event_id, event_timestamp, event_name, client_id, visitor_id, received_at, time_source, page_url, page_host, page_path,
    device_type, country, product_id, product_name, product_price, is_automated, partition_hour, object_key, line_number,
    payload_hash
)
select
    md5(n::text)::uuid, at, (array['page_view', 'page_view', 'view_product', 'add_to_cart'])[1 + n %% 4],
    'v' || n / 12, 'v' || n / 12, at, 'client', 'https://shop.example/p/' || n %% 500, 'shop.example', '/p/' || n %% 500,
    'mobile', 'VN', 'p' || n %% 500, 'Product ' || n %% 500, 10 + n %% 90, false, date_trunc('hour', at),
    'events/history', n, md5(n::text)::uuid
from (
    select n, %(start)s::timestamptz + interval '100 days' * (n / 12 * 12) / %(all)s + interval '1 minute' * (n %% 12) as at
    from generate_series(0, %(all)s::integer - 1) as n
) as events
"""


def add_history(stack: Stack, size: int) -> None:
    """Put so many events into an empty warehouse, and bring every table up to date."""
    from clickstream_dagster.warehouse import changes
    from clickstream_dagster.warehouse.connection import transaction
    from clickstream_dagster.warehouse.models import all_models
    from clickstream_dagster.warehouse.rebuild import rebuild_all

    if not size:
        return
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute(HISTORY, {"start": START, "all": size})
            cursor.execute("analyze clickstream_events")
            changes.owe_all(cursor, all_models()["fact_sessions"])
        rebuild_all(connection)
        connection.autocommit = True
        connection.cursor().execute("vacuum analyze")
