-- How it is decided is in docs/metrics.md, *What is out of the ordinary*.
with

hours as materialized (
    select * from watched_hours
),

levels as materialized (
    -- How large the shop was: a middle day of the week before, so that it may grow, and one holiday or campaign changes nothing.
    select dates.local_date, percentile_cont(0.5) within group (order by coalesce(days.sessions, 0)) as level
    from (select distinct local_date from hours where metric = 'sessions') as dates
    cross join generate_series(1, 7) as back
    left join agg_daily_traffic as days on days.local_date = dates.local_date - back and not days.is_bot
    where dates.local_date - back >= (select min(local_date) from agg_daily_traffic)
    group by dates.local_date
),

stood as materialized (
    -- Of a shop that has stood still for so long that a middle day has nothing: how large it was when it had.
    select (array_agg(level order by local_date desc) filter (where level > 0))[1] as level from levels
),

weeks as (
    select line, week, sum(value) as value, sum(value) / nullif(sum(base), 0) as rate from hours
    where week > 0
    group by line, week
),

rates as materialized (
    -- Of a line that is compared with what happens beside it: the middle one of eight weeks, and how far they are from it.
    select
        middle.*,
        (
            select 1.4826 * percentile_cont(0.5) within group (order by abs(one.rate - middle.rate))
            from unnest(middle.all_rates) as one (rate)
        ) as spread
    from (
        select
            line, count(rate) as weeks, percentile_cont(0.5) within group (order by rate) as rate,
            array_agg(rate) as all_rates, sum(value) / (47 * count(*)) as by_hour
        from weeks
        group by line
    ) as middle
),

running as (
    select hours.*, sum(value) over by_time as value_so_far, sum(base) over by_time as base_so_far
    from hours
    window by_time as (partition by line, week order by place)
),

summed as (
    select
        running.line, running.metric, running.week, running.place, running.local_date, running.base is null as is_by_hour,
        array[1, 2, 3, 6, 24] as lengths,
        array[
            value_so_far, lead(value_so_far, 1) over by_time, lead(value_so_far, 2) over by_time,
            lead(value_so_far, 5) over by_time, lead(value_so_far, 23) over by_time
        ] as values_then,
        array[
            base_so_far, lead(base_so_far, 1) over by_time, lead(base_so_far, 2) over by_time,
            lead(base_so_far, 5) over by_time, lead(base_so_far, 23) over by_time
        ] as bases_then,
        value - value_so_far as value_until,
        base - base_so_far as base_until
    from running
    window by_time as (partition by line, week order by place)
),

windows as materialized (
    -- Not those in which nothing can be missed: the busiest hour has no more than a dozen times what others have.
    select
        summed.line, summed.metric, summed.week, summed.place, summed.is_by_hour, summed.local_date, ending.length,
        summed.line * 100 + ending.length as kind,
        ending.value_then + summed.value_until as value,
        ending.base_then + summed.base_until as base
    from summed
    inner join rates on rates.line = summed.line
    cross join unnest(summed.lengths, summed.values_then, summed.bases_then) as ending (length, value_then, base_then)
    where summed.place <= 24
        and (summed.metric in ('rejected', 'warned') or ending.length * rates.by_hour >= 1)
),

alone as materialized (
    -- Of a line that is compared with what happens beside it: how many there are of it, whatever is beside it.
    select kind, place, percentile_cont(0.5) within group (order by value) as value
    from windows
    where week > 0 and metric in ('events', 'conversion')
    group by kind, place
),

by_hour as materialized (
    -- Of a line that is compared by the hour of the week: what a visit of a usual day stands for in each window.
    select
        kind, place, count(*) filter (where is_before) as weeks,
        percentile_cont(0.5) within group (order by value / level) filter (where is_before) as rate,
        array_agg(value / level) filter (where is_before) as all_rates
    from (
        select windows.kind, windows.place, windows.week > 0 as is_before, windows.value, nullif(levels.level, 0) as level
        from windows
        inner join levels on levels.local_date = windows.local_date
        where windows.is_by_hour
    ) as sized
    group by kind, place
),

expected as materialized (
    select
        windows.kind, windows.line, windows.metric, windows.length, windows.week, windows.place, windows.is_by_hour,
        windows.value,
        greatest(rates.rate * windows.base, case when windows.metric in ('rejected', 'warned') then 0.5 end) as usual, rates.spread * windows.base as spread, rates.weeks
    from windows
    inner join rates on rates.line = windows.line
    where not windows.is_by_hour and (windows.week = 0 or windows.place % 3 = 1)
    union all
    select
        windows.kind, windows.line, windows.metric, windows.length, windows.week, windows.place, windows.is_by_hour,
        windows.value, by_hour.rate * size.level,
        size.level * (
            select 1.4826 * percentile_cont(0.5) within group (order by abs(one.rate - by_hour.rate))
            from unnest(by_hour.all_rates) as one (rate)
        ),
        by_hour.weeks
    from windows
    inner join by_hour on by_hour.kind * 100 + by_hour.place = windows.kind * 100 + windows.place
    inner join levels on levels.local_date = windows.local_date
    cross join stood
    cross join lateral (
        select case when windows.week = 0 and levels.level = 0 then stood.level else levels.level end as level
    ) as size
    where windows.is_by_hour
),

noises as materialized (
    -- How much more than by single chance: events come in visits, and money in orders.
    select
        kind,
        (1.4826 * percentile_cont(0.5) within group (order by abs(value - usual) / sqrt(nullif(usual, 0)))) ^ 2 as noise
    from expected
    where week > 0
    group by kind
),

order_value as materialized (
    select
        sum(value) filter (where metric = 'revenue') / nullif(sum(value) filter (where metric = 'conversion'), 0) as mean
    from hours
    where week > 0
),

judged as (
    select
        expected.*,
        sqrt(greatest(
            greatest(noises.noise, case when metric = 'revenue' then order_value.mean else 1 end) * usual
            * case when is_by_hour then 1.2 else 1 end
            + (0.05 * usual) ^ 2
            + case when is_by_hour then 0 else spread ^ 2 end,
            case when is_by_hour then 1.2 * spread ^ 2 else 0 end
        )) as deviation
    from expected
    inner join noises on noises.kind = expected.kind
    cross join order_value
    where expected.week = 0 and expected.usual > 0 and expected.weeks >= 4
),

scored as (
    select
        judged.*,
        sign(value - usual) * sqrt(greatest(
            0, 2 * usual * (case when value > 0 then value * ln(value / usual) else 0 end - (value - usual))
        )) / deviation as score
    from judged
),

flagged as materialized (
    select
        scored.*,
        abs(scored.value - usual) / usual as part,
        max(abs(scored.value - usual) / usual) over (partition by line, score > 0) as largest_part
    from scored
    left join alone on alone.kind * 100 + alone.place = scored.kind * 100 + scored.place
    -- What is new beside it, or comes in floods, makes nothing missing.
    where (metric not in ('events', 'conversion') or scored.value <= 0.7 * alone.value)
        and abs(score) >= 5
        and abs(scored.value - usual) >= 0.3 * usual
        and case metric
            when 'sessions' then true
            when 'rejected' then scored.value - usual >= 20
            when 'warned' then scored.value - usual >= 20
            else scored.value < usual
        end
),

found as (
    -- Of the windows of a line in which about as much is off as in the worst of them: the latest, and of these the one that says it best.
    select distinct on (flagged.line)
        hours.metric, hours.event_name, hours.device_type, hours.browser,
        hours.hour_at + interval '1 hour' - flagged.length * interval '1 hour' as started_at,
        hours.hour_at + interval '1 hour' as ended_at,
        flagged.place = 1 as is_going_on,
        flagged.value, flagged.usual,
        greatest(0, flagged.usual - 2 * flagged.deviation) as low,
        flagged.usual + 2 * flagged.deviation as high,
        flagged.score,
        flagged.usual - flagged.value as missing
    from flagged
    inner join hours on hours.line = flagged.line and hours.week = 0 and hours.place = flagged.place
    where flagged.part >= 0.8 * flagged.largest_part
    order by flagged.line, flagged.place, abs(flagged.score) desc, flagged.length
),

beside as (
    select
        found.*,
        max(missing) filter (where browser is null) over of_name as missing_in_all,
        max(missing) filter (where browser is not null) over of_name as missing_in_one
    from found
    window of_name as (partition by metric, event_name)
),

told as (
    -- An event that is missing in one browser is told of that browser, one that is missing in all of them once.
    select
        beside.*,
        started_at at time zone shop_settings.timezone as started,
        ended_at at time zone shop_settings.timezone as ended,
        shop_settings.currency
    from beside
    cross join shop_settings
    where metric <> 'events' or event_name is null
        or case
            when browser is null then coalesce(missing_in_one < 0.5 * missing_in_all, true)
            else coalesce(missing >= 0.5 * missing_in_all, true)
        end
),

worded as (
    select
        told.*,
        case metric
            when 'sessions' then 'Visits'
            when 'revenue' then 'Revenue'
            when 'conversion' then 'Orders'
            when 'rejected' then 'Rejected events'
            when 'warned' then 'Events with a warning'
            else coalesce(event_name, 'Events')
        end as subject,
        case when browser is not null then
            ' on ' || left(browser, 60) || case
                when starts_with(lower(browser), device_type || ' ') then '' else ' (' || left(device_type, 60) || ')'
            end
        else '' end as place,
        case
            when is_going_on then ' since ' || to_char(started, 'FMDay HH24:MI')
            when started::date = (ended - interval '1 minute')::date
                then to_char(started, '" on "FMDay" from "HH24:MI') || to_char(ended, '" to "HH24:MI')
            else to_char(started, '" from "FMDay HH24:MI') || to_char(ended, '" to "FMDay HH24:MI')
        end as period,
        case when metric in ('sessions', 'revenue') and started::date = (ended - interval '1 minute')::date
            then to_char(started, '"a usual "FMDay') else 'usual' end as normal,
        case when metric = 'revenue' then to_char(value, 'FM999,999,999,990.00 ') || currency
            else to_char(value, 'FM999,999,999,990') end as value_text,
        case when metric = 'revenue' then to_char(usual, 'FM999,999,999,990.00 ') || currency
            else to_char(usual, 'FM999,999,999,990') end as usual_text
    from told
),

final as (
    select
        metric,
        event_name,
        device_type,
        browser,
        started_at,
        ended_at,
        is_going_on,
        round(value::numeric, 2) as value,
        round(usual::numeric, 2) as usual,
        round(low::numeric, 2) as low,
        round(high::numeric, 2) as high,
        round(score::numeric, 1) as score,
        case
            when value = 0 then subject || ' stopped' || place || period || ': none, where about ' || usual_text || ' are usual'
            else
                subject || place || period || case when metric = 'revenue' then ' is ' else ' are ' end || case
                    when value >= 2 * usual then to_char(value / usual, 'FM999,990.0') || ' times as usual'
                    when value > usual then round(100 * (value / usual - 1)) || ' % above ' || normal
                    else round(100 * (1 - value / usual)) || ' % below ' || normal
                end || ': ' || value_text || ' instead of about ' || usual_text
        end as sentence
    from worded
)

select * from final
