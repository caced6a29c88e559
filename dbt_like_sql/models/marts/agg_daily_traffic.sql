with

rebuild as (
    select local_date from rebuild_keys
),

sessions as (
    select fact_sessions.* from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
),

presence as (
    -- No gap of a session is longer than 30 minutes, so its visitor had an event on each date that it spans.
    select local_date, is_bot, visitor_id from sessions
    union
    select rebuild.local_date, fact_sessions.is_bot, fact_sessions.visitor_id
    from rebuild
    inner join fact_sessions
        on fact_sessions.last_local_date > fact_sessions.local_date
        and fact_sessions.last_local_date >= rebuild.local_date
        and fact_sessions.local_date < rebuild.local_date
),

active as (
    select local_date, is_bot, count(distinct visitor_id)::integer as visitors
    from presence
    group by local_date, is_bot
),

counted as (
    select
        local_date,
        is_bot,
        count(*) filter (where is_new_visitor)::integer as new_visitors,
        count(*)::integer as sessions,
        count(*) filter (where is_bounce)::integer as bounces,
        count(*) filter (where is_engaged)::integer as engaged_sessions,
        sum(page_view_count + product_view_count)::bigint as page_views,
        sum(event_count)::bigint as events,
        sum(extract(epoch from ended_at - started_at)) as duration_seconds,
        count(*) filter (where purchase_count > 0)::integer as sessions_with_purchase,
        sum(order_count)::bigint as orders
    from sessions
    group by local_date, is_bot
),

final as (
    select
        active.local_date,
        active.is_bot,
        active.visitors,
        coalesce(counted.new_visitors, 0) as new_visitors,
        coalesce(counted.sessions, 0) as sessions,
        coalesce(counted.bounces, 0) as bounces,
        coalesce(counted.engaged_sessions, 0) as engaged_sessions,
        coalesce(counted.page_views, 0) as page_views,
        coalesce(counted.events, 0) as events,
        coalesce(counted.duration_seconds, 0) as duration_seconds,
        coalesce(counted.sessions_with_purchase, 0) as sessions_with_purchase,
        coalesce(counted.orders, 0) as orders
    from active
    left join counted on counted.local_date = active.local_date and counted.is_bot = active.is_bot
)

select * from final
