with

rebuild as (
    select visitor_id from rebuild_keys
),

sessions as (
    select fact_sessions.* from rebuild
    inner join fact_sessions on fact_sessions.visitor_id = rebuild.visitor_id
),

persons as (
    -- As in dim_visitor: a browser of two users is neither's.
    select
        visitor_id,
        case when min(user_id) = max(user_id) and not bool_or(is_shared) then min(user_id) else visitor_id end as person_id
    from sessions
    group by visitor_id
),

origins as (
    select distinct on (visitor_id) visitor_id, channel, device_type, country
    from sessions
    order by visitor_id, started_at
),

days as (
    -- No gap of a session is longer than 30 minutes, so its visitor had an event on each date that it spans.
    select distinct sessions.visitor_id, sessions.local_date + day.number as local_date, sessions.is_bot
    from sessions
    cross join lateral generate_series(0, sessions.last_local_date - sessions.local_date) as day (number)
),

final as (
    select
        days.visitor_id,
        days.local_date,
        days.is_bot,
        min(days.local_date) over same_kind as first_on,
        lag(days.local_date) over (same_kind order by days.local_date) as previous_on,
        min(days.local_date) over any_kind as first_on_any,
        lag(days.local_date) over (any_kind order by days.local_date, days.is_bot) as previous_on_any,
        origins.channel,
        coalesce(origins.device_type, '(none)') as device_type,
        coalesce(origins.country, '(none)') as country,
        persons.person_id
    from days
    inner join origins on origins.visitor_id = days.visitor_id
    inner join persons on persons.visitor_id = days.visitor_id
    window same_kind as (partition by days.visitor_id, days.is_bot), any_kind as (partition by days.visitor_id)
)

select * from final
