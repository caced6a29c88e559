-- The last two days by the hour, and the same hours of the eight weeks before: what `anomalies` compares. Only lines that have
-- enough for anything to be said of them, and of these the largest.
with

clock as (
    select
        date_trunc('hour', data_freshness.complete_to, shop_settings.timezone) as as_of,
        shop_settings.timezone,
        shop_settings.currency,
        (select min(local_date) from agg_daily_traffic) as first_on
    from data_freshness
    cross join shop_settings
),

slots as materialized (
    select
        moved.week,
        moved.place,
        moved.week * 48 + moved.place as slot,
        moved.local_at at time zone moved.timezone as hour_at,
        moved.local_at::date as local_date,
        moved.currency
    from (
        select
            clock.*, week, place,
            (clock.as_of - place * interval '1 hour') at time zone clock.timezone - week * interval '7 days' as local_at
        from clock
        cross join generate_series(0, 8) as week
        cross join generate_series(1, 47) as place
    ) as moved
    where moved.local_at::date > moved.first_on
),

dates as (
    select array(select distinct local_date from slots) as local_dates
),

events as (
    select
        slots.week, slots.slot,
        format(
            'events|%s|%s|%s', agg_hourly_events.event_name, agg_hourly_events.device_type, agg_hourly_events.browser
        ) as line,
        grouping(agg_hourly_events.event_name) = 0 as has_name,
        agg_hourly_events.event_name,
        agg_hourly_events.device_type,
        agg_hourly_events.browser,
        sum(agg_hourly_events.events)::float as value
    from dates
    inner join agg_hourly_events on agg_hourly_events.local_date = any(dates.local_dates)
    inner join slots on slots.hour_at = agg_hourly_events.hour_at
    where not agg_hourly_events.is_bot
    group by grouping sets (
        (slots.week, slots.slot),
        (slots.week, slots.slot, agg_hourly_events.event_name),
        (slots.week, slots.slot, agg_hourly_events.device_type, agg_hourly_events.browser),
        (
            slots.week, slots.slot, agg_hourly_events.event_name, agg_hourly_events.device_type,
            agg_hourly_events.browser
        )
    )
),

traffic as (
    select slots.week, slots.slot, sum(agg_hourly_traffic.sessions)::float as value
    from dates
    inner join agg_hourly_traffic on agg_hourly_traffic.local_date = any(dates.local_dates)
    inner join slots on slots.hour_at = agg_hourly_traffic.hour_at
    where not agg_hourly_traffic.is_bot
    group by slots.week, slots.slot
),

orders as (
    select
        slots.week, slots.slot,
        sum(agg_hourly_orders.orders)::float as orders,
        (sum(agg_hourly_orders.revenue) filter (where agg_hourly_orders.currency = slots.currency))::float as revenue
    from dates
    inner join agg_hourly_orders on agg_hourly_orders.local_date = any(dates.local_dates)
    inner join slots on slots.hour_at = agg_hourly_orders.hour_at
    where not agg_hourly_orders.is_bot
    group by slots.week, slots.slot
),

received as (
    select
        slots.week, slots.slot,
        sum(etl_ledger.received)::float as received,
        sum(etl_ledger.rejected)::float as rejected,
        sum(etl_ledger.loaded)::float as loaded,
        sum(etl_ledger.warned)::float as warned
    from clock
    cross join etl_ledger
    inner join slots on slots.hour_at = date_trunc('hour', etl_ledger.partition_hour, clock.timezone)
    group by slots.week, slots.slot
),

-- What a line is compared with has a line of its own; `parent` names it.
measured as materialized (
    select
        'events' as metric, event_name, device_type, browser, week, slot, value, line,
        case
            when has_name and browser is not null then format('events||%s|%s', device_type, browser)
            when has_name or browser is not null then 'events|||'
        end as parent
    from events
    union all
    select 'sessions', null, null, null, week, slot, value, 'sessions', null from traffic
    union all
    select 'conversion', null, null, null, week, slot, orders, 'conversion', 'sessions' from orders
    union all
    select 'revenue', null, null, null, week, slot, revenue, 'revenue', null from orders
    union all
    select 'received', null, null, null, week, slot, received, 'received', null from received
    union all
    select 'rejected', null, null, null, week, slot, rejected, 'rejected', 'received' from received
    union all
    select 'loaded', null, null, null, week, slot, loaded, 'loaded', null from received
    union all
    select 'warned', null, null, null, week, slot, warned, 'warned', 'loaded' from received
),

lines as materialized (
    -- What is expected less than a dozen times in a day cannot be missed.
    select
        metric, event_name, device_type, browser, line as name, parent,
        row_number() over (order by metric = 'events', sum(value) filter (where week > 0) desc, line collate "C")::integer as line
    from measured
    where (metric in ('sessions', 'revenue') or parent is not null)
        and (event_name is distinct from 'purchase' or browser is not null)  -- the line of orders tells of these
    group by metric, event_name, device_type, browser, line, parent
    having metric in ('rejected', 'warned') or sum(value) filter (where week > 0) >= 180
    order by line
    limit 60
),

cells as (
    select lines.line, slots.slot, 0 as value, 0 as whole from lines cross join slots
    union all
    select lines.line, measured.slot, measured.value, 0 from measured inner join lines on lines.name = measured.line
    union all
    select lines.line, measured.slot, 0, measured.value from measured inner join lines on lines.parent = measured.line
),

filled as (
    select line, slot, sum(value) as value, sum(whole) as whole from cells group by line, slot
),

final as (
    select
        lines.line,
        lines.metric,
        lines.event_name,
        lines.device_type,
        lines.browser,
        slots.week,
        slots.place,
        slots.hour_at,
        slots.local_date,
        filled.value,
        case
            when lines.parent is null then null
            when lines.metric = 'events' then filled.whole - filled.value
            else filled.whole
        end as base
    from filled
    inner join lines on lines.line = filled.line
    inner join slots on slots.slot = filled.slot
)

select * from final
