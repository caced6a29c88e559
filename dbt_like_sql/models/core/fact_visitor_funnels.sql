with

rebuild as (
    select visitor_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

entering as (
    -- The earliest of a date's sessions that has the first step at all holds the first one.
    select distinct on (fact_sessions.visitor_id, fact_sessions.local_date, fact_sessions.is_bot) fact_sessions.*
    from rebuild
    inner join fact_sessions on fact_sessions.visitor_id = rebuild.visitor_id
    where fact_sessions.funnel_step > 0
    order by fact_sessions.visitor_id, fact_sessions.local_date, fact_sessions.is_bot, fact_sessions.started_at
),

entries as (
    select
        entering.visitor_id, entering.local_date, entering.is_bot, entering.channel, entering.device_type,
        entering.country, entering.started_at, first.event_timestamp as entered_at, settings.funnel_steps,
        first.event_timestamp + settings.funnel_window as closes_at
    from entering
    cross join settings
    cross join lateral (
        select clickstream_events.event_timestamp
        from clickstream_events
        where clickstream_events.visitor_id = entering.visitor_id
            and clickstream_events.event_timestamp between entering.started_at and entering.ended_at
            and clickstream_events.event_name = settings.funnel_steps[1]
        order by clickstream_events.event_timestamp
        limit 1
    ) as first
),

followed as (
    -- One entry at a time, by index: the work grows with what happened within its window, not with all its visitor ever did.
    select entries.*, reached.times
    from entries
    cross join lateral (
        select
            funnel_times(
                clickstream_events.event_name, clickstream_events.event_timestamp, entries.funnel_steps
                order by
                    clickstream_events.event_timestamp,
                    array_position(entries.funnel_steps, clickstream_events.event_name),
                    clickstream_events.event_id
            ) as times
        from fact_sessions
        inner join clickstream_events
            on clickstream_events.visitor_id = fact_sessions.visitor_id
            and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
        where fact_sessions.visitor_id = entries.visitor_id
            and fact_sessions.is_bot = entries.is_bot
            and fact_sessions.started_at between entries.started_at and entries.closes_at
            and clickstream_events.event_timestamp between entries.entered_at and entries.closes_at
            and clickstream_events.event_name = any(entries.funnel_steps)
    ) as reached
),

final as (
    select
        visitor_id,
        local_date,
        is_bot,
        lag(local_date) over (partition by visitor_id, is_bot order by local_date) as previous_on,
        lag(local_date) over (partition by visitor_id order by local_date, is_bot) as previous_on_any,
        entered_at,
        cardinality(times) as funnel_step,
        floor(extract(epoch from times[cardinality(funnel_steps)] - times[1]))::integer as funnel_seconds,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country
    from followed
)

select * from final
