with

final as (
    select
        local_date,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        count(*)::integer as customers,
        count(days_to_second)::integer as repeat_customers,
        count(*) filter (where days_to_second <= 30)::integer as repeat_30,
        count(*) filter (where days_to_second <= 90)::integer as repeat_90,
        count(*) filter (where days_to_second <= 365)::integer as repeat_365,
        coalesce(sum(days_to_second), 0)::bigint as days_to_second,
        sum(orders)::bigint as orders,
        sum(other_currency_orders)::bigint as other_currency_orders,
        exact_amount(sum(revenue)) as revenue,
        exact_amount(sum(refunded)) as refunded,
        exact_amount(sum(value_30)) as value_30,
        exact_amount(sum(value_90)) as value_90,
        exact_amount(sum(value_365)) as value_365,
        count(*) as row_count
    from fact_customers
    group by local_date, channel, device_type, country, currency, is_bot
)

select * from final
