with

rebuild as (
    select local_date from rebuild_keys
),

interest as (
    -- A session's interest in a product is one, though only some of its events may name the currency.
    select
        fact_events.local_date,
        fact_events.product_id,
        fact_events.session_key,
        fact_events.channel,
        coalesce(fact_events.device_type, '(none)') as device_type,
        coalesce(fact_events.country, '(none)') as country,
        fact_events.is_bot,
        (array_agg(fact_events.currency order by fact_events.event_timestamp desc, fact_events.event_id))[1] as currency,
        count(*) filter (where fact_events.event_name = 'view_product') as views,
        bool_or(fact_events.event_name = 'view_product') as is_viewed,
        bool_or(fact_events.event_name = 'add_to_cart') as is_added
    from rebuild
    inner join fact_events on fact_events.local_date = rebuild.local_date
    where fact_events.product_id is not null
    group by
        fact_events.local_date, fact_events.product_id, fact_events.session_key, fact_events.channel,
        coalesce(fact_events.device_type, '(none)'), coalesce(fact_events.country, '(none)'), fact_events.is_bot
),

viewed as (
    select
        local_date, product_id, channel, device_type, country, currency, is_bot,
        sum(views) as views,
        count(*) filter (where is_viewed) as viewed_sessions,
        count(*) filter (where is_added) as added_sessions,
        count(*) filter (where is_added and not is_viewed) as added_unviewed_sessions
    from interest
    group by local_date, product_id, channel, device_type, country, currency, is_bot
),

items as (
    select
        fact_order_items.*,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country
    from rebuild
    inner join fact_order_items on fact_order_items.local_date = rebuild.local_date
    inner join fact_orders on fact_orders.order_id = fact_order_items.order_id
    inner join fact_sessions on fact_sessions.session_key = fact_orders.session_key
    where fact_order_items.product_id is not null
),

bought as (
    select
        local_date, product_id, channel, device_type, country, currency, is_bot,
        count(distinct order_id) as orders,
        sum(quantity) as units,
        coalesce(sum(revenue), 0) as revenue,
        sum(refunded) as refunded
    from items
    group by local_date, product_id, channel, device_type, country, currency, is_bot
),

final as (
    select
        local_date, product_id, channel, device_type, country, currency, is_bot,
        coalesce(viewed.views, 0)::bigint as views,
        coalesce(viewed.viewed_sessions, 0)::integer as viewed_sessions,
        coalesce(viewed.added_sessions, 0)::integer as added_sessions,
        coalesce(viewed.added_unviewed_sessions, 0)::integer as added_unviewed_sessions,
        coalesce(bought.orders, 0)::integer as orders,
        coalesce(bought.units, 0)::bigint as units,
        coalesce(bought.revenue, 0) as revenue,
        coalesce(bought.refunded, 0) as refunded
    from viewed
    full join bought using (local_date, product_id, channel, device_type, country, currency, is_bot)
)

select * from final
