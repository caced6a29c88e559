with

rebuild as (
    select session_key from rebuild_keys
),

sessions as (
    select fact_sessions.* from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
),

counted as (
    select sessions.session_key, clickstream_events.page_path, 1 as views, 0 as entries, 0 as exits
    from sessions
    inner join clickstream_events
        on clickstream_events.visitor_id = sessions.visitor_id
        and clickstream_events.event_timestamp between sessions.started_at and sessions.ended_at
    where clickstream_events.event_name in ('page_view', 'view_product')
    union all
    select session_key, entry_path, 0, 1, 0 from sessions
    union all
    select session_key, exit_path, 0, 0, 1 from sessions
),

pages as (
    select
        session_key, page_path, sum(views)::integer as views, sum(entries)::integer as entries, sum(exits)::integer as exits
    from counted
    where page_path is not null
    group by session_key, page_path
),

final as (
    select
        sessions.session_key,
        pages.page_path,
        sessions.local_date,
        sessions.channel,
        coalesce(sessions.device_type, '(none)') as device_type,
        coalesce(sessions.country, '(none)') as country,
        sessions.is_bot,
        pages.views,
        pages.entries,
        pages.exits,
        case when sessions.is_bounce then pages.entries else 0 end as entry_bounces,
        case when sessions.purchase_count > 0 then pages.entries else 0 end as entry_purchases
    from pages
    inner join sessions on sessions.session_key = pages.session_key
)

select * from final
