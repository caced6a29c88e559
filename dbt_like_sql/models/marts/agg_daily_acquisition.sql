with

final as (
    select
        local_date,
        channel,
        coalesce(source, '(none)') as source,
        coalesce(medium, '(none)') as medium,
        coalesce(campaign, '(none)') as campaign,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        count(*)::integer as sessions,
        count(*) filter (where is_new_visitor)::integer as new_visitors,
        count(*) filter (where is_bounce)::integer as bounces,
        count(*) filter (where is_engaged)::integer as engaged_sessions,
        sum(page_view_count + product_view_count)::bigint as page_views,
        sum(event_count)::bigint as events,
        exact_amount(sum(extract(epoch from ended_at - started_at))) as duration_seconds,
        count(*) filter (where purchase_count > 0)::integer as sessions_with_purchase,
        sum(order_count)::bigint as orders,
        count(*) as row_count
    from fact_sessions
    group by
        local_date, channel, coalesce(source, '(none)'), coalesce(medium, '(none)'), coalesce(campaign, '(none)'),
        coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot
)

select * from final
