-- Stored, though it only joins: whose an order is changes with its browser, and the row that changes owes both people.
with

rebuild as (
    select visitor_id from rebuild_keys
),

final as (
    select
        fact_orders.order_id,
        fact_orders.visitor_id,
        dim_visitor.person_id,
        fact_orders.ordered_at,
        fact_orders.local_date,
        fact_orders.channel as order_channel,
        fact_orders.currency,
        fact_orders.revenue,
        fact_orders.refunded,
        fact_orders.is_bot
    from rebuild
    inner join dim_visitor on dim_visitor.visitor_id = rebuild.visitor_id
    inner join fact_orders on fact_orders.visitor_id = rebuild.visitor_id
)

select * from final
