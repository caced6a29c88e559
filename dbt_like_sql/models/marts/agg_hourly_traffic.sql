with

rebuild as (
    select local_date from rebuild_keys
),

settings as (
    select * from shop_settings
),

sessions as (
    select fact_sessions.* from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
),

final as (
    select
        date_trunc('hour', started_at, settings.timezone) as hour_at,
        min(local_date) as local_date,
        min(extract(hour from started_at at time zone settings.timezone))::integer as local_hour,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        count(*)::integer as sessions,
        count(distinct visitor_id)::integer as visitors,
        sum(page_view_count + product_view_count)::bigint as page_views,
        sum(event_count)::bigint as events,
        sum(order_count)::bigint as orders
    from sessions
    cross join settings
    group by hour_at, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot
)

select * from final
