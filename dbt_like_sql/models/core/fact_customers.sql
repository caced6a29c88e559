with

rebuild as (
    select person_id from rebuild_keys
),

orders as (
    select
        fact_customer_orders.*,
        first_value(fact_customer_orders.local_date) over by_number as first_on,
        first_value(fact_customer_orders.currency) over by_number as first_currency
    from rebuild
    inner join fact_customer_orders on fact_customer_orders.person_id = rebuild.person_id
    window by_number as (
        partition by fact_customer_orders.person_id, fact_customer_orders.is_bot
        order by fact_customer_orders.order_number
    )
),

counted as (
    select
        orders.*,
        currency = first_currency as is_in_currency,
        local_date - first_on as days_since_first
    from orders
),

final as (
    select
        person_id,
        is_bot,
        min(local_date) as local_date,
        min(ordered_at) as first_order_at,
        min(ordered_at) filter (where purchase_number = 2) as second_order_at,
        max(ordered_at) as last_order_at,
        max(local_date) as last_order_on,
        count(*)::integer as orders,
        max(purchase_number)::integer as purchases,
        min(days_since_first) filter (where purchase_number = 2) as days_to_second,
        min(first_currency) as currency,
        count(*) filter (where not is_in_currency)::integer as other_currency_orders,
        exact_amount(sum(revenue) filter (where is_in_currency)) as revenue,
        exact_amount(sum(refunded) filter (where is_in_currency)) as refunded,
        exact_amount(sum(revenue - refunded) filter (where is_in_currency and days_since_first <= 30)) as value_30,
        exact_amount(sum(revenue - refunded) filter (where is_in_currency and days_since_first <= 90)) as value_90,
        exact_amount(sum(revenue - refunded) filter (where is_in_currency and days_since_first <= 365)) as value_365,
        min(order_channel) filter (where order_number = 1) as first_order_channel,
        min(channel) as channel,
        min(device_type) as device_type,
        min(country) as country
    from counted
    group by person_id, is_bot
)

select * from final
