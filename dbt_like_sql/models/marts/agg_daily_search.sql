-- Searches count on the date of their session, orders on their own, so that each follows what it is made of.
with

rebuild as (
    select local_date from rebuild_keys
),

settings as (
    select * from shop_settings
),

events as (
    select
        fact_sessions.session_key,
        fact_sessions.local_date,
        fact_sessions.channel,
        fact_sessions.device_type,
        fact_sessions.country,
        fact_sessions.is_bot,
        clickstream_events.event_name,
        clickstream_events.event_timestamp,
        clickstream_events.event_id,
        case when clickstream_events.event_name = 'search' then search_term(clickstream_events.search_query) end as term,
        clickstream_events.props -> 'results' in ('0'::jsonb, '"0"'::jsonb) as is_without_results,
        case
            when clickstream_events.event_name = 'purchase'
                then coalesce(clickstream_events.currency, settings.currency)
        end as paid_in
    from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    where fact_sessions.search_count > 0
        and clickstream_events.event_name in ('search', 'click', 'view_product', 'purchase')
),

numbered as (
    -- What happens at the time of a search follows it.
    select
        events.*,
        count(term) over (partition by session_key order by event_timestamp, term is null, event_id) as search_number
    from events
),

searches as (
    select
        session_key, local_date, channel, device_type, country, is_bot, search_number,
        max(term) as term,
        bool_or(is_without_results) filter (where term is not null) as is_without_results,
        bool_or(event_name in ('click', 'view_product')) as is_clicked,
        (array_agg(paid_in order by event_timestamp, event_id) filter (where paid_in is not null))[1] as paid_in
    from numbered
    where search_number > 0
    group by session_key, local_date, channel, device_type, country, is_bot, search_number
),

interest as (
    -- A session's interest in a term is one, though only one of its searches for it may lead to an order.
    select
        searches.local_date, searches.term, searches.channel, searches.device_type, searches.country, searches.is_bot,
        coalesce(
            (array_agg(searches.paid_in order by searches.search_number) filter (where searches.paid_in is not null))[1],
            settings.currency
        ) as currency,
        count(*) as searches,
        count(*) filter (where searches.is_without_results) as without_results,
        count(*) filter (where searches.is_clicked) as clicked
    from searches
    cross join settings
    group by
        searches.session_key, searches.local_date, searches.term, searches.channel, searches.device_type,
        searches.country, searches.is_bot, settings.currency
),

bought as (
    select
        fact_orders.local_date, search.term, fact_sessions.channel, fact_sessions.device_type, fact_sessions.country,
        fact_sessions.is_bot, fact_orders.currency, fact_orders.revenue
    from rebuild
    inner join fact_orders on fact_orders.local_date = rebuild.local_date
    inner join fact_sessions on fact_sessions.session_key = fact_orders.session_key and fact_sessions.search_count > 0
    cross join lateral (
        select search_term(clickstream_events.search_query) as term
        from clickstream_events
        where clickstream_events.visitor_id = fact_sessions.visitor_id
            and clickstream_events.event_timestamp between fact_sessions.started_at and fact_orders.ordered_at
            and clickstream_events.event_name = 'search'
            and search_term(clickstream_events.search_query) is not null
        order by clickstream_events.event_timestamp desc, clickstream_events.event_id desc
        limit 1
    ) as search
),

counted as (
    select
        local_date, term, channel, device_type, country, currency, is_bot,
        searches, without_results, clicked, 1 as sessions, 0 as orders, 0 as revenue
    from interest
    union all
    select local_date, term, channel, device_type, country, currency, is_bot, 0, 0, 0, 0, 1, revenue
    from bought
),

final as (
    select
        local_date,
        term,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        currency,
        is_bot,
        sum(searches)::bigint as searches,
        sum(without_results)::bigint as without_results,
        sum(clicked)::bigint as clicked,
        sum(sessions)::bigint as sessions,
        sum(orders)::bigint as orders,
        sum(revenue)::numeric as revenue
    from counted
    group by local_date, term, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), currency, is_bot
)

select * from final
