-- A view: a visitor's sessions do not overlap, so an event's session is found, not stored, and can never be stale.
with

sessions as (
    select * from fact_sessions
),

events as (
    select * from clickstream_events
),

settings as (
    select * from shop_settings
),

final as (
    select
        events.event_id,
        sessions.session_key,
        events.visitor_id,
        events.user_id,
        events.event_name,
        events.event_timestamp,
        sessions.local_date,
        events.page_path,
        events.page_title,
        events.referrer,
        events.product_id,
        events.product_name,
        events.product_category,
        events.product_brand,
        coalesce(events.product_discount_price, events.product_price) as price,
        events.quantity,
        coalesce(events.currency, settings.currency) as currency,
        events.order_id,
        events.search_query,
        sessions.channel,
        sessions.device_type,
        sessions.country,
        events.received_at,
        sessions.is_bot,
        events.props
    from events
    inner join sessions
        on sessions.visitor_id = events.visitor_id
        and events.event_timestamp between sessions.started_at and sessions.ended_at
    cross join settings
)

select * from final
