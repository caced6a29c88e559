with

rebuild as (
    select local_date from rebuild_keys
),

orders as (
    select fact_orders.* from rebuild
    inner join fact_orders on fact_orders.local_date = rebuild.local_date
),

final as (
    select
        orders.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        orders.currency,
        orders.is_bot,
        count(*)::integer as orders,
        sum(orders.item_count)::bigint as items,
        sum(orders.revenue) as revenue,
        sum(orders.refunded) as refunded
    from orders
    inner join fact_sessions on fact_sessions.session_key = orders.session_key
    group by
        orders.local_date, fact_sessions.channel, fact_sessions.device_type, fact_sessions.country, orders.currency,
        orders.is_bot
)

select * from final
