with

rebuild as (
    select person_id from rebuild_keys
),

orders as (
    select fact_person_orders.* from rebuild
    inner join fact_person_orders on fact_person_orders.person_id = rebuild.person_id
),

final as (
    select
        orders.order_id,
        orders.person_id,
        (row_number() over by_time)::integer as order_number,
        (dense_rank() over by_date)::integer as purchase_number,
        orders.ordered_at,
        orders.local_date,
        lag(orders.local_date) over by_time as previous_on,
        orders.order_channel,
        dim_person.channel,
        dim_person.device_type,
        dim_person.country,
        orders.currency,
        orders.revenue,
        orders.refunded,
        orders.is_bot
    from orders
    inner join dim_person on dim_person.person_id = orders.person_id
    window
        by_time as (partition by orders.person_id, orders.is_bot order by orders.ordered_at, orders.order_id),
        by_date as (partition by orders.person_id, orders.is_bot order by orders.local_date)
)

select * from final
