-- The latest word on a product costs a few index steps, whatever its history: sessions first, since they are many and
-- recent, then the lines of orders, for what is only ever bought.
-- No import CTE for them: PostgreSQL would materialize the whole table, because it is read more than once.
with

rebuild as (
    select product_id from rebuild_keys
),

final as (
    select
        rebuild.product_id,
        coalesce(
            (
                select product_name from fact_session_products as seen
                where seen.product_id = rebuild.product_id and product_name is not null
                order by last_at desc, session_key limit 1
            ),
            (
                select product_name from fact_order_items as bought
                where bought.product_id = rebuild.product_id and product_name is not null
                order by local_date desc, order_id, item_number limit 1
            )
        ) as product_name,
        coalesce(
            (
                select product_category from fact_session_products as seen
                where seen.product_id = rebuild.product_id and product_category is not null
                order by last_at desc, session_key limit 1
            ),
            (
                select product_category from fact_order_items as bought
                where bought.product_id = rebuild.product_id and product_category is not null
                order by local_date desc, order_id, item_number limit 1
            )
        ) as product_category,
        coalesce(
            (
                select product_brand from fact_session_products as seen
                where seen.product_id = rebuild.product_id and product_brand is not null
                order by last_at desc, session_key limit 1
            ),
            (
                select product_brand from fact_order_items as bought
                where bought.product_id = rebuild.product_id and product_brand is not null
                order by local_date desc, order_id, item_number limit 1
            )
        ) as product_brand,
        latest_price.price,
        latest_price.currency,
        least(seen.first_on, bought.first_on) as first_seen_on,
        greatest(seen.last_on, bought.last_on) as last_seen_on
    from rebuild
    cross join lateral (
        select min(local_date) as first_on, max(local_date) as last_on
        from fact_session_products as sessions where sessions.product_id = rebuild.product_id
    ) as seen
    cross join lateral (
        select min(local_date) as first_on, max(local_date) as last_on
        from fact_order_items as items where items.product_id = rebuild.product_id
    ) as bought
    left join lateral (
        select price, currency
        from (
            (
                select 1 as place, price, currency from fact_session_products as sessions
                where sessions.product_id = rebuild.product_id and price is not null
                order by last_at desc, session_key limit 1
            )
            union all
            (
                select 2 as place, price, currency from fact_order_items as items
                where items.product_id = rebuild.product_id and price is not null
                order by local_date desc, order_id, item_number limit 1
            )
        ) as prices
        order by place limit 1
    ) as latest_price on true
    where seen.first_on is not null or bought.first_on is not null
)

select * from final
