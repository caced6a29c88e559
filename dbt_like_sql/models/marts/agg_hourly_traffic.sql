with

sessions as (
    select
        fact_sessions.*,
        date_trunc('hour', fact_sessions.started_at, shop_settings.timezone) as hour_at,
        extract(hour from fact_sessions.started_at at time zone shop_settings.timezone)::integer as local_hour
    from fact_sessions
    cross join shop_settings
),

final as (
    select
        hour_at,
        local_date,
        local_hour,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        count(*)::integer as sessions,
        sum(page_view_count + product_view_count)::bigint as page_views,
        sum(event_count)::bigint as events,
        sum(order_count)::bigint as orders,
        count(*) as row_count
    from sessions
    group by
        hour_at, local_date, local_hour, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot
)

select * from final
