with

orders as (
    select
        fact_orders.*,
        date_trunc('hour', fact_orders.ordered_at, shop_settings.timezone) as hour_at
    from fact_orders
    cross join shop_settings
),

final as (
    select
        hour_at,
        local_date,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        currency,
        is_bot,
        count(*)::integer as orders,
        exact_amount(sum(revenue)) as revenue,
        count(*) as row_count
    from orders
    group by
        hour_at, local_date, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), currency, is_bot
)

select * from final
