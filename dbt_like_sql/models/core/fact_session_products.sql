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
        coalesce(clickstream_events.product_discount_price, clickstream_events.product_price) as price,
        clickstream_events.items
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    where clickstream_events.product_id is not null or clickstream_events.items is not null
),

words as (
    select * from events where product_id is not null
    union all
    -- An event of several products is one of each of them, however often it names one.
    select
        events.session_key, line.product_id, events.local_date, events.channel, events.device_type, events.country,
        events.is_bot, events.event_id, events.event_timestamp, events.event_name, events.currency, line.product_name,
        line.product_category, line.product_brand, line.price, null
    from events
    cross join lateral (
        select distinct on (item.line ->> 'product_id')
            item.line ->> 'product_id' as product_id, item.line ->> 'name' as product_name,
            item.line ->> 'category' as product_category, item.line ->> 'brand' as product_brand,
            (item.line ->> 'price')::numeric as price
        from jsonb_array_elements(events.items) with ordinality as item (line, place)
        where item.line ->> 'product_id' is distinct from events.product_id
        order by item.line ->> 'product_id', item.place
    ) as line
    where events.items is not null and line.product_id is not null
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
        (array_agg(price order by event_timestamp desc, event_id) filter (where price is not null))[1] as price,
        count(*) filter (where event_name in ('view_item_list', 'search'))::integer as impressions,
        -- Seen, or chosen from a list, once a list or a search had shown it.
        coalesce(
            max(event_timestamp) filter (where event_name in ('view_product', 'select_item'))
            >= min(event_timestamp) filter (where event_name in ('view_item_list', 'search')),
            false
        ) as is_clicked
    from words
    group by session_key, product_id, local_date, channel, device_type, country, is_bot
)

select * from final
