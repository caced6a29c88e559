with

rebuild as (
    select session_key from rebuild_keys
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
        clickstream_events.props -> 'results' in ('0'::jsonb, '"0"'::jsonb) as is_without_results
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    where fact_sessions.search_count > 1
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
        coalesce(bool_or(is_without_results) filter (where term is not null), false) as is_without_results,
        bool_or(event_name in ('click', 'view_product')) as is_clicked,
        bool_or(event_name = 'purchase') as is_bought
    from numbered
    where search_number > 0
    group by session_key, local_date, channel, device_type, country, is_bot, search_number
),

followed as (
    select
        searches.*,
        lead(term) over visit as next_term,
        lead(is_clicked) over visit as is_next_clicked,
        bool_or(is_bought) over (
            partition by session_key order by search_number rows between 1 following and unbounded following
        ) as is_bought_later
    from searches
    window visit as (partition by session_key order by search_number)
),

final as (
    select
        session_key, term, next_term, local_date, channel, device_type, country, is_bot,
        bool_or(is_without_results) as is_without_results,
        bool_or(is_next_clicked) as is_clicked,
        bool_or(is_bought_later) as has_purchase
    from followed
    where next_term <> term
    group by session_key, term, next_term, local_date, channel, device_type, country, is_bot
)

select * from final
