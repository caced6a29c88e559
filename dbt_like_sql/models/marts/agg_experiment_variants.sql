with

final as (
    select
        experiment,
        variant,
        is_mixed,
        local_date,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        count(*)::integer as visitors,
        count(*) filter (where orders > 0)::integer as buyers,
        sum(orders)::bigint as orders,
        sum(other_currency_orders)::bigint as other_currency_orders,
        exact_amount(sum(revenue)) as revenue,
        exact_amount(sum(refunded)) as refunded,
        exact_amount(sum((revenue - refunded) * (revenue - refunded))) as net_revenue_squared,
        count(*) as row_count
    from fact_experiment_visitors
    group by experiment, variant, is_mixed, local_date, channel, device_type, country, currency, is_bot
)

select * from final
