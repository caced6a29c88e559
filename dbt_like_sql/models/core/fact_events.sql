-- A view: a visitor's sessions do not overlap, so an event's session is found, not stored, and can never be stale.
-- No CTEs in it: PostgreSQL plans a view that has one apart from the query that reads it, and would join all events.
select
    clickstream_events.event_id,
    fact_sessions.session_key,
    clickstream_events.visitor_id,
    clickstream_events.user_id,
    clickstream_events.event_name,
    clickstream_events.event_timestamp,
    fact_sessions.local_date,
    clickstream_events.page_path,
    clickstream_events.page_title,
    clickstream_events.referrer,
    clickstream_events.product_id,
    clickstream_events.product_name,
    clickstream_events.product_category,
    clickstream_events.product_brand,
    coalesce(clickstream_events.product_discount_price, clickstream_events.product_price) as price,
    clickstream_events.quantity,
    coalesce(clickstream_events.currency, shop_settings.currency) as currency,
    clickstream_events.order_id,
    clickstream_events.search_query,
    fact_sessions.channel,
    fact_sessions.device_type,
    fact_sessions.country,
    clickstream_events.received_at,
    fact_sessions.is_bot,
    clickstream_events.props
from clickstream_events
inner join fact_sessions
    on fact_sessions.visitor_id = clickstream_events.visitor_id
    and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
cross join shop_settings
