with

rebuild as (
    select order_id from rebuild_keys
),

settings as (
    select * from shop_settings
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
        orders.channel,
        coalesce(orders.device_type, '(none)') as device_type,
        coalesce(orders.country, '(none)') as country,
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
        purchases.is_bot,
        purchases.channel,
        purchases.device_type,
        purchases.country
    from purchases
    cross join lateral jsonb_array_elements(purchases.order_items) with ordinality as item (line, item_number)
),

single as (
    -- A purchase event that lists no items but is about one product.
    select
        order_id, 1 as item_number, local_date, product_id, product_name, product_category, product_brand, price,
        quantity, currency, is_bot, channel, device_type, country
    from purchases
    where order_items is null and product_id is not null
),

items as (
    select *, price * quantity as revenue from (select * from listed union all select * from single) as items
),

refunds as (
    -- Those that the order's own row has counted: the first ones, up to the limit.
    select clickstream_events.*
    from orders
    cross join settings
    cross join lateral (
        select copies.event_id from clickstream_events as copies
        where copies.order_key = orders.order_id and copies.event_name = 'refund'
        order by copies.event_timestamp, copies.event_id
        limit settings.order_events_limit
    ) as early
    inner join clickstream_events
        on clickstream_events.event_id = early.event_id
        and coalesce(clickstream_events.currency, orders.currency) = orders.currency
    where orders.refunded > 0
),

refund_lines as (
    select
        refunds.order_key as order_id,
        item.line ->> 'product_id' as product_id,
        (item.line ->> 'price')::numeric as price,
        coalesce((item.line ->> 'quantity')::integer, 1) as quantity
    from refunds
    cross join lateral jsonb_array_elements(refunds.order_items) as item (line)
    union all
    select order_key, product_id, coalesce(product_discount_price, product_price), coalesce(quantity, 1)
    from refunds
    where order_items is null
),

refunded_products as (
    -- Added up before they meet the items: a product that many lines name, in order and refunds, is not multiplied.
    select
        order_id,
        product_id,
        coalesce(sum(price * quantity), 0) as priced,
        coalesce(sum(quantity) filter (where price is null), 0) as unpriced_quantity
    from refund_lines
    group by order_id, product_id
),

named as (
    -- What the refunds name of an item's product, at the item's own price where they give none.
    select
        items.order_id,
        items.item_number,
        refunded_products.priced + coalesce(items.price * refunded_products.unpriced_quantity, 0) as amount
    from items
    inner join refunded_products
        on refunded_products.order_id = items.order_id and refunded_products.product_id = items.product_id
),

claimed as (
    -- Several items of one product share what is named of it. No item claims more than its revenue, where it has a price.
    select
        items.*,
        orders.refunded as order_refunded,
        least(
            coalesce(
                named.amount * coalesce(items.revenue, 0) / nullif(sum(items.revenue) over same_product, 0),
                named.amount / count(*) over same_product,
                0
            ),
            items.revenue
        ) as claim
    from items
    inner join orders on orders.order_id = items.order_id
    left join named on named.order_id = items.order_id and named.item_number = items.item_number
    window same_product as (partition by items.order_id, items.product_id)
),

weighed as (
    -- What is given back beyond that falls on what is left of the items' revenue.
    select
        claimed.*,
        claim + coalesce(
            greatest(order_refunded - sum(claim) over whole_order, 0) * greatest(revenue - claim, 0)
            / nullif(sum(greatest(revenue - claim, 0)) over whole_order, 0),
            0
        ) as weight
    from claimed
    window whole_order as (partition by order_id)
),

added_up as (
    select
        weighed.*,
        sum(weight) over (partition by order_id order by item_number) as weight_so_far,
        sum(weight) over (partition by order_id) as whole_weight
    from weighed
),

shared as (
    -- The sums are rounded, not the parts, so that the last part makes the whole.
    select
        added_up.*,
        case
            when weight_so_far = 0 then 0
            when weight_so_far = whole_weight then order_refunded
            else least(round(order_refunded * weight_so_far / whole_weight, 2), order_refunded)
        end as refunded_so_far
    from added_up
),

final as (
    select
        order_id, item_number, local_date, product_id, product_name, product_category, product_brand, price,
        quantity, revenue, currency, is_bot,
        refunded_so_far - lag(refunded_so_far, 1, 0) over (partition by order_id order by item_number) as refunded,
        row_number() over (partition by order_id, product_id order by item_number) = 1 as is_first_of_product,
        channel, device_type, country
    from shared
)

select * from final
