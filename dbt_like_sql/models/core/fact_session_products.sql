with

rebuild as (
    select session_key from rebuild_keys
),

settings as (
    select * from shop_settings
),

events as (
    select
        fact_sessions.session_key,
        clickstream_events.product_id,
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        fact_sessions.is_bot,
        clickstream_events.event_id,
        clickstream_events.event_timestamp,
        clickstream_events.event_name,
        coalesce(clickstream_events.currency, settings.currency) as currency,
        clickstream_events.product_name,
        clickstream_events.product_category,
        clickstream_events.product_brand,
        coalesce(clickstream_events.product_discount_price, clickstream_events.product_price) as price
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    where clickstream_events.product_id is not null
),

final as (
    -- A session's interest in a product is one, though only some of its events may name the currency. The latest event
    -- that gives a property has the session's last word on it.
    select
        session_key, product_id, local_date, channel, device_type, country, is_bot,
        (array_agg(currency order by event_timestamp desc, event_id))[1] as currency,
        count(*) filter (where event_name = 'view_product')::integer as views,
        count(*) filter (where event_name = 'add_to_cart')::integer as adds,
        max(event_timestamp) as last_at,
        (array_agg(product_name order by event_timestamp desc, event_id) filter (where product_name is not null))[1]
            as product_name,
        (array_agg(product_category order by event_timestamp desc, event_id)
            filter (where product_category is not null))[1] as product_category,
        (array_agg(product_brand order by event_timestamp desc, event_id) filter (where product_brand is not null))[1]
            as product_brand,
        (array_agg(price order by event_timestamp desc, event_id) filter (where price is not null))[1] as price
    from events
    group by session_key, product_id, local_date, channel, device_type, country, is_bot
)

select * from final
