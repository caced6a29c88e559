with

rebuild as (
    select visitor_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

events as (
    select
        fact_events.visitor_id,
        fact_events.local_date,
        fact_events.is_bot,
        fact_events.channel,
        fact_events.device_type,
        fact_events.country,
        fact_events.event_name,
        fact_events.event_timestamp,
        fact_events.event_id,
        array_position(settings.funnel_steps, fact_events.event_name) as step,
        floor(extract(epoch from fact_events.event_timestamp) / 86400)::integer as day_number
    from rebuild
    inner join fact_events on fact_events.visitor_id = rebuild.visitor_id
    cross join settings
    where fact_events.event_name = any(settings.funnel_steps)
),

entries as (
    select distinct on (visitor_id, local_date, is_bot)
        visitor_id, local_date, is_bot, event_timestamp as entered_at, channel, device_type, country
    from events
    where step = 1
    order by visitor_id, local_date, is_bot, event_timestamp
),

windows as (
    -- Day by day, so that an entry meets the events of its window and not all that its visitor ever did.
    select
        entries.visitor_id, entries.local_date, entries.is_bot, entries.entered_at,
        entries.entered_at + settings.funnel_window as closed_at, day.number as day_number
    from entries
    cross join settings
    cross join lateral generate_series(
        floor(extract(epoch from entries.entered_at) / 86400)::integer,
        floor(extract(epoch from entries.entered_at + settings.funnel_window) / 86400)::integer
    ) as day (number)
),

reached as (
    select
        windows.visitor_id, windows.local_date, windows.is_bot,
        funnel_times(
            events.event_name, events.event_timestamp, settings.funnel_steps
            order by events.event_timestamp, events.step, events.event_id
        ) as times
    from windows
    cross join settings
    inner join events
        on events.visitor_id = windows.visitor_id
        and events.is_bot = windows.is_bot
        and events.day_number = windows.day_number
        and events.event_timestamp between windows.entered_at and windows.closed_at
    group by windows.visitor_id, windows.local_date, windows.is_bot
),

final as (
    select
        entries.visitor_id,
        entries.local_date,
        entries.is_bot,
        lag(entries.local_date) over (
            partition by entries.visitor_id, entries.is_bot order by entries.local_date
        ) as previous_on,
        lag(entries.local_date) over (
            partition by entries.visitor_id order by entries.local_date, entries.is_bot
        ) as previous_on_any,
        entries.entered_at,
        cardinality(reached.times) as funnel_step,
        floor(extract(epoch from reached.times[cardinality(settings.funnel_steps)] - reached.times[1]))::integer
            as funnel_seconds,
        entries.channel,
        coalesce(entries.device_type, '(none)') as device_type,
        coalesce(entries.country, '(none)') as country
    from entries
    cross join settings
    inner join reached
        on reached.visitor_id = entries.visitor_id
        and reached.local_date = entries.local_date
        and reached.is_bot = entries.is_bot
)

select * from final
