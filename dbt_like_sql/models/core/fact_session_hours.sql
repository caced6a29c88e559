with

rebuild as (
    select session_key from rebuild_keys
),

settings as (
    select * from shop_settings
),

final as (
    select
        fact_sessions.session_key,
        date_trunc('hour', clickstream_events.event_timestamp, settings.timezone) as hour_at,
        (clickstream_events.event_timestamp at time zone settings.timezone)::date as local_date,
        clickstream_events.event_name,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        coalesce(fact_sessions.browser, '(none)') as browser,
        fact_sessions.is_bot,
        count(*)::integer as events
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    group by
        fact_sessions.session_key, date_trunc('hour', clickstream_events.event_timestamp, settings.timezone),
        (clickstream_events.event_timestamp at time zone settings.timezone)::date, clickstream_events.event_name,
        fact_sessions.channel, fact_sessions.device_type, fact_sessions.country, fact_sessions.browser, fact_sessions.is_bot
)

select * from final
