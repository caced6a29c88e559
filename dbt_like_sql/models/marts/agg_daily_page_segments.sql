with

rebuild as (
    select local_date from rebuild_keys
),

sessions as (
    select
        fact_sessions.local_date, fact_sessions.entry_path, fact_sessions.exit_path, fact_sessions.channel,
        fact_sessions.device_type, fact_sessions.country, fact_sessions.is_bot,
        fact_sessions.is_bounce::integer as bounces, (fact_sessions.purchase_count > 0)::integer as purchases
    from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
),

counted as (
    select
        fact_events.local_date, fact_events.page_path, fact_events.channel, fact_events.device_type,
        fact_events.country, fact_events.is_bot,
        1 as views, 0 as entries, 0 as exits, 0 as entry_bounces, 0 as entry_purchases
    from rebuild
    inner join fact_events on fact_events.local_date = rebuild.local_date
    where fact_events.event_name in ('page_view', 'view_product')
    union all
    select local_date, entry_path, channel, device_type, country, is_bot, 0, 1, 0, bounces, purchases
    from sessions
    union all
    select local_date, exit_path, channel, device_type, country, is_bot, 0, 0, 1, 0, 0
    from sessions
),

final as (
    select
        local_date,
        page_path,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        sum(views)::bigint as views,
        sum(entries)::bigint as entries,
        sum(exits)::bigint as exits,
        sum(entry_bounces)::bigint as entry_bounces,
        sum(entry_purchases)::bigint as entry_purchases
    from counted
    where page_path is not null
    group by local_date, page_path, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot
)

select * from final
