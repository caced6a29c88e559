with

rebuild as (
    select order_id from rebuild_keys
),

orders as (
    select fact_orders.* from rebuild
    inner join fact_orders on fact_orders.order_id = rebuild.order_id
),

items as (
    -- The lines as the order's own row has settled them.
    select
        orders.order_id,
        item.item_number::integer as item_number,
        orders.local_date,
        item.line ->> 'product_id' as product_id,
        item.line ->> 'name' as product_name,
        item.line ->> 'category' as product_category,
        item.line ->> 'brand' as product_brand,
        (item.line ->> 'price')::numeric as price,
        (item.line ->> 'quantity')::integer as quantity,
        (item.line ->> 'price')::numeric * (item.line ->> 'quantity')::integer as revenue,
        orders.currency,
        orders.is_bot,
        orders.channel,
        coalesce(orders.device_type, '(none)') as device_type,
        coalesce(orders.country, '(none)') as country,
        -- What is given back beyond the items was shipping, tax or the like; where they have prices at all.
        least(orders.refunded, nullif(orders.revenue - orders.adjustment, 0)) as items_refunded,
        (orders.refunded_products ->> (item.line ->> 'product_id'))::numeric as named
    from orders
    cross join lateral jsonb_array_elements(orders.lines) with ordinality as item (line, item_number)
),

claimed as (
    -- Several items of one product share what is named of it. No item claims more than its revenue, where it has a price.
    select
        items.*,
        least(
            coalesce(
                named * coalesce(revenue, 0) / nullif(sum(revenue) over same_product, 0),
                named / count(*) over same_product,
                0
            ),
            revenue
        ) as claim
    from items
    window same_product as (partition by order_id, product_id)
),

weighed as (
    -- What is given back beyond that falls on what is left of the items' revenue.
    select
        claimed.*,
        claim + coalesce(
            greatest(items_refunded - sum(claim) over whole_order, 0) * greatest(revenue - claim, 0)
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
            when weight_so_far = whole_weight then items_refunded
            else least(round(items_refunded * weight_so_far / whole_weight, 2), items_refunded)
        end as refunded_so_far
    from added_up
),

final as (
    select
        order_id, item_number, local_date, product_id, product_name, product_category, product_brand, price,
        quantity, revenue, currency, is_bot,
        exact_amount(
            refunded_so_far - lag(refunded_so_far, 1, 0) over (partition by order_id order by item_number)
        ) as refunded,
        row_number() over (partition by order_id, product_id order by item_number) = 1 as is_first_of_product,
        channel, device_type, country
    from shared
)

select * from final
