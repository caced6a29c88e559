with

rebuild as (
    select order_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

events as (
    select clickstream_events.*, coalesce(clickstream_events.currency, settings.currency) as money_currency
    from rebuild
    inner join clickstream_events on clickstream_events.order_key = rebuild.order_id
    cross join settings
),

purchases as (
    -- The first purchase event of an order is the order; a reload of the thank-you page is not another one.
    select distinct on (order_key) *
    from events
    where event_name = 'purchase'
    order by order_key, event_timestamp, event_id
),

lines as (
    -- What the items of a purchase or refund come to.
    select
        events.event_id,
        count(*) = count(item.line ->> 'price') as is_priced,
        sum(coalesce((item.line ->> 'quantity')::integer, 1)) as pieces,
        sum((item.line ->> 'price')::numeric * coalesce((item.line ->> 'quantity')::integer, 1)) as amount
    from events
    cross join lateral jsonb_array_elements(events.order_items) as item (line)
    group by events.event_id
),

amounts as (
    select
        events.event_id,
        coalesce(lines.pieces, events.quantity, 1) as pieces,
        coalesce(
            case when lines.is_priced then lines.amount end,
            events.order_value,
            lines.amount,
            coalesce(events.product_discount_price, events.product_price) * coalesce(lines.pieces, events.quantity, 1)
        ) as amount
    from events
    left join lines on lines.event_id = events.event_id
),

valued as (
    select purchases.*, amounts.pieces, coalesce(amounts.amount, 0) as revenue
    from purchases
    inner join amounts on amounts.event_id = purchases.event_id
),

refunds as (
    -- A refund without an amount gives the whole order back.
    select valued.order_key, sum(coalesce(amounts.amount, valued.revenue)) as refunded
    from valued
    inner join events
        on events.order_key = valued.order_key
        and events.event_name = 'refund'
        and coalesce(events.currency, valued.money_currency) = valued.money_currency
    inner join amounts on amounts.event_id = events.event_id
    group by valued.order_key
),

final as (
    select
        valued.order_key as order_id,
        valued.event_id,
        valued.visitor_id,
        fact_sessions.session_key,
        valued.event_timestamp as ordered_at,
        (valued.event_timestamp at time zone settings.timezone)::date as local_date,
        valued.revenue,
        least(coalesce(refunds.refunded, 0), valued.revenue) as refunded,
        valued.money_currency as currency,
        valued.pieces::bigint as item_count,
        valued.order_id is not null as has_order_id,
        fact_sessions.is_bot,
        fact_sessions.channel,
        fact_sessions.source,
        fact_sessions.medium,
        fact_sessions.campaign,
        fact_sessions.device_type,
        fact_sessions.country,
        search.term as search_term
    from valued
    cross join settings
    inner join fact_sessions
        on fact_sessions.visitor_id = valued.visitor_id
        and valued.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    left join refunds on refunds.order_key = valued.order_key
    left join lateral (
        -- The last search of the session at or before the order led to it.
        select search_term(clickstream_events.search_query) as term
        from clickstream_events
        where fact_sessions.search_count > 0
            and clickstream_events.visitor_id = fact_sessions.visitor_id
            and clickstream_events.event_timestamp between fact_sessions.started_at and valued.event_timestamp
            and clickstream_events.event_name = 'search'
            and search_term(clickstream_events.search_query) is not null
        order by clickstream_events.event_timestamp desc, clickstream_events.event_id desc
        limit 1
    ) as search on true
)

select * from final
