with

rebuild as (
    select order_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

purchases as (
    -- The first purchase event of an order is the order; a reload of the thank-you page is not another one. Other copies are
    -- kept and never read here: how many there are is the client's choice.
    select first.*, coalesce(first.currency, settings.currency) as money_currency
    from rebuild
    cross join settings
    cross join lateral (
        select clickstream_events.* from clickstream_events
        where clickstream_events.order_key = rebuild.order_id and clickstream_events.event_name = 'purchase'
        order by clickstream_events.event_timestamp, clickstream_events.event_id
        limit 1
    ) as first
),

given_back as (
    -- The first refunds of an order, up to the limit; the column is_id_overused says that there are more.
    select early.*, purchases.money_currency
    from purchases
    cross join settings
    cross join lateral (
        select clickstream_events.* from clickstream_events
        where clickstream_events.order_key = purchases.order_key and clickstream_events.event_name = 'refund'
        order by clickstream_events.event_timestamp, clickstream_events.event_id
        limit settings.order_events_limit
    ) as early
),

events as (
    select * from purchases
    union all
    select * from given_back where coalesce(currency, money_currency) = money_currency
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
    inner join events on events.order_key = valued.order_key and events.event_name = 'refund'
    inner join amounts on amounts.event_id = events.event_id
    group by valued.order_key
),

placed as (
    -- A visitor's sessions do not overlap: the last one that began before the order, if it had not ended.
    select valued.order_key, valued.event_timestamp, valued.event_id, fact_sessions.*
    from valued
    cross join lateral (
        select visits.session_key from fact_sessions as visits
        where visits.visitor_id = valued.visitor_id and visits.started_at <= valued.event_timestamp
        order by visits.started_at desc
        limit 1
    ) as latest
    inner join fact_sessions
        on fact_sessions.session_key = latest.session_key and fact_sessions.ended_at >= valued.event_timestamp
),

visits as (
    select distinct session_key, visitor_id, started_at, ended_at from placed where search_count > 0
),

timeline as (
    -- Searches and orders of a session in one line, read once: a session may have thousands of both.
    select
        visits.session_key, clickstream_events.event_timestamp, clickstream_events.event_id,
        search_term(clickstream_events.search_query) as term, null as order_key
    from visits
    inner join clickstream_events
        on clickstream_events.visitor_id = visits.visitor_id
        and clickstream_events.event_timestamp between visits.started_at and visits.ended_at
        and clickstream_events.event_name = 'search'
    where search_term(clickstream_events.search_query) is not null
    union all
    select session_key, event_timestamp, event_id, null, order_key from placed where search_count > 0
),

numbered as (
    -- What happens at the time of a search follows it.
    select
        timeline.*,
        count(term) over (partition by session_key order by event_timestamp, term is null, event_id) as search_number
    from timeline
),

led as (
    -- The last search of the session at or before the order led to it.
    select order_key, led_by as term
    from (
        select numbered.*, max(term) over (partition by session_key, search_number) as led_by
        from numbered
        where search_number > 0
    ) as searched
    where order_key is not null
),

final as (
    select
        valued.order_key as order_id,
        valued.event_id,
        valued.visitor_id,
        placed.session_key,
        valued.event_timestamp as ordered_at,
        (valued.event_timestamp at time zone settings.timezone)::date as local_date,
        valued.revenue,
        least(coalesce(refunds.refunded, 0), valued.revenue) as refunded,
        valued.money_currency as currency,
        valued.pieces::bigint as item_count,
        valued.order_id is not null as has_order_id,
        placed.is_bot,
        exists (
            select 1 from clickstream_events as copies
            where copies.order_key = valued.order_key and copies.event_name = 'purchase'
            offset settings.order_events_limit
        )
        or exists (
            select 1 from clickstream_events as copies
            where copies.order_key = valued.order_key and copies.event_name = 'refund'
            offset settings.order_events_limit
        ) as is_id_overused,
        placed.channel,
        placed.source,
        placed.medium,
        placed.campaign,
        placed.device_type,
        placed.country,
        led.term as search_term
    from valued
    cross join settings
    inner join placed on placed.order_key = valued.order_key
    left join refunds on refunds.order_key = valued.order_key
    left join led on led.order_key = valued.order_key
)

select * from final
