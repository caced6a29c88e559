with

rebuild as (
    select order_id from rebuild_keys
),

orders as (
    select fact_orders.* from rebuild
    inner join fact_orders on fact_orders.order_id = rebuild.order_id
),

purchases as (
    select
        orders.order_id,
        orders.local_date,
        orders.currency,
        orders.is_bot,
        clickstream_events.product_id,
        clickstream_events.product_name,
        clickstream_events.product_category,
        clickstream_events.product_brand,
        coalesce(clickstream_events.product_discount_price, clickstream_events.product_price) as price,
        coalesce(clickstream_events.quantity, 1) as quantity,
        clickstream_events.order_items
    from orders
    inner join clickstream_events on clickstream_events.event_id = orders.event_id
),

listed as (
    select
        purchases.order_id,
        item.item_number::integer as item_number,
        purchases.local_date,
        item.line ->> 'product_id' as product_id,
        item.line ->> 'name' as product_name,
        item.line ->> 'category' as product_category,
        item.line ->> 'brand' as product_brand,
        (item.line ->> 'price')::numeric as price,
        coalesce((item.line ->> 'quantity')::integer, 1) as quantity,
        purchases.currency,
        purchases.is_bot
    from purchases
    cross join lateral jsonb_array_elements(purchases.order_items) with ordinality as item (line, item_number)
),

single as (
    -- A purchase event that lists no items but is about one product.
    select
        order_id, 1 as item_number, local_date, product_id, product_name, product_category, product_brand, price,
        quantity, currency, is_bot
    from purchases
    where order_items is null and product_id is not null
),

final as (
    select
        order_id, item_number, local_date, product_id, product_name, product_category, product_brand, price,
        quantity, price * quantity as revenue, currency, is_bot
    from (select * from listed union all select * from single) as items
)

select * from final
