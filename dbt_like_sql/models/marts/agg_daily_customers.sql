with

final as (
    select
        local_date,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        count(*)::integer as orders,
        count(*) filter (where purchase_number = 1)::integer as new_orders,
        count(*) filter (where purchase_number > 1)::integer as returning_orders,
        count(*) filter (where order_number = 1)::integer as new_customers,
        count(*) filter (where previous_on is distinct from local_date)::integer as buyers,
        exact_amount(coalesce(sum(revenue) filter (where purchase_number = 1), 0)) as new_revenue,
        exact_amount(coalesce(sum(refunded) filter (where purchase_number = 1), 0)) as new_refunded,
        exact_amount(coalesce(sum(revenue) filter (where purchase_number > 1), 0)) as returning_revenue,
        exact_amount(coalesce(sum(refunded) filter (where purchase_number > 1), 0)) as returning_refunded,
        count(*) as row_count
    from fact_customer_orders
    group by local_date, channel, device_type, country, currency, is_bot
)

select * from final
