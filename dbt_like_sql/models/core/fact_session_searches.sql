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
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
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
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
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
        (array_agg(paid_in order by event_timestamp, event_id) filter (where paid_in is not null))[1] as paid_in,
        bool_or(event_name = 'purchase') as is_bought
    from numbered
    where search_number > 0
    group by session_key, local_date, channel, device_type, country, is_bot, search_number
),

followed as (
    select
        searches.*,
        bool_or(is_bought) over (
            partition by session_key order by search_number rows between current row and unbounded following
        ) as is_bought_later
    from searches
),

final as (
    -- A session's interest in a term is one, though only one of its searches for it may lead to an order.
    select
        followed.session_key, followed.term, followed.local_date, followed.channel, followed.device_type,
        followed.country, followed.is_bot,
        coalesce(
            (array_agg(followed.paid_in order by followed.search_number) filter (where followed.paid_in is not null))[1],
            settings.currency
        ) as currency,
        count(*)::integer as searches,
        count(*) filter (where followed.is_without_results)::integer as without_results,
        count(*) filter (where followed.is_clicked)::integer as clicked,
        bool_or(followed.is_bought_later) as has_purchase
    from followed
    cross join settings
    group by
        followed.session_key, followed.term, followed.local_date, followed.channel, followed.device_type,
        followed.country, followed.is_bot, settings.currency
)

select * from final
