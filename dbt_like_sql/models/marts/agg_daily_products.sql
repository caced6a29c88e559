with

rebuild as (
    select local_date from rebuild_keys
),

events as (
    select fact_events.* from rebuild
    inner join fact_events on fact_events.local_date = rebuild.local_date
    where fact_events.product_id is not null
),

described as (
    -- The latest event that gives a property has the day's last word on it.
    select
        local_date, product_id, is_bot,
        (array_agg(product_name order by event_timestamp desc, event_id) filter (where product_name is not null))[1]
            as product_name,
        (array_agg(product_category order by event_timestamp desc, event_id)
            filter (where product_category is not null))[1] as product_category,
        (array_agg(product_brand order by event_timestamp desc, event_id) filter (where product_brand is not null))[1]
            as product_brand,
        (array_agg(price order by event_timestamp desc, event_id) filter (where price is not null))[1] as price
    from events
    group by local_date, product_id, is_bot
),

interest as (
    -- A session's interest in a product is one, though only some of its events may name the currency.
    select
        local_date, product_id, is_bot, session_key,
        (array_agg(currency order by event_timestamp desc, event_id))[1] as currency,
        count(*) filter (where event_name = 'view_product') as views,
        bool_or(event_name = 'view_product') as is_viewed,
        bool_or(event_name = 'add_to_cart') as is_added
    from events
    group by local_date, product_id, is_bot, session_key
),

counted as (
    select
        local_date, product_id, currency, is_bot,
        sum(views) as views,
        count(*) filter (where is_viewed) as viewed_sessions,
        count(*) filter (where is_added) as added_sessions,
        count(*) filter (where is_added and not is_viewed) as added_unviewed_sessions
    from interest
    group by local_date, product_id, currency, is_bot
),

viewed as (
    select counted.*, described.product_name, described.product_category, described.product_brand, described.price
    from counted
    inner join described
        on described.local_date = counted.local_date
        and described.product_id = counted.product_id
        and described.is_bot = counted.is_bot
),

bought as (
    select
        fact_order_items.local_date, fact_order_items.product_id, fact_order_items.currency, fact_order_items.is_bot,
        max(fact_order_items.product_name) as product_name,
        max(fact_order_items.product_category) as product_category,
        max(fact_order_items.product_brand) as product_brand,
        max(fact_order_items.price) as price,
        count(distinct fact_order_items.order_id) as orders,
        sum(fact_order_items.quantity) as units,
        coalesce(sum(fact_order_items.revenue), 0) as revenue,
        sum(fact_order_items.refunded) as refunded
    from rebuild
    inner join fact_order_items on fact_order_items.local_date = rebuild.local_date
    where fact_order_items.product_id is not null
    group by
        fact_order_items.local_date, fact_order_items.product_id, fact_order_items.currency, fact_order_items.is_bot
),

final as (
    select
        local_date, product_id, currency, is_bot,
        coalesce(viewed.product_name, bought.product_name) as product_name,
        coalesce(viewed.product_category, bought.product_category) as product_category,
        coalesce(viewed.product_brand, bought.product_brand) as product_brand,
        coalesce(viewed.price, bought.price) as price,
        coalesce(viewed.views, 0)::bigint as views,
        coalesce(viewed.viewed_sessions, 0)::integer as viewed_sessions,
        coalesce(viewed.added_sessions, 0)::integer as added_sessions,
        coalesce(viewed.added_unviewed_sessions, 0)::integer as added_unviewed_sessions,
        coalesce(bought.orders, 0)::integer as orders,
        coalesce(bought.units, 0)::bigint as units,
        coalesce(bought.revenue, 0) as revenue,
        coalesce(bought.refunded, 0) as refunded
    from viewed
    full join bought using (local_date, product_id, currency, is_bot)
)

select * from final
