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
        currency,
        is_bot,
        count(*)::integer as orders,
        sum(item_count)::bigint as items,
        exact_amount(sum(revenue)) as revenue,
        exact_amount(sum(refunded)) as refunded,
        count(*) as row_count
    from fact_orders
    group by
        local_date, channel, coalesce(source, '(none)'), coalesce(medium, '(none)'), coalesce(campaign, '(none)'),
        coalesce(device_type, '(none)'), coalesce(country, '(none)'), currency, is_bot
)

select * from final
