-- Reads the daily products, not the events: the latest word on a product costs a few index steps, whatever its history.
-- No import CTE for them: PostgreSQL would materialize the whole table, because it is read more than once.
with

rebuild as (
    select product_id from rebuild_keys
),

final as (
    select
        rebuild.product_id,
        (
            select product_name from agg_daily_products as days
            where days.product_id = rebuild.product_id and product_name is not null
            order by local_date desc, is_bot, currency limit 1
        ) as product_name,
        (
            select product_category from agg_daily_products as days
            where days.product_id = rebuild.product_id and product_category is not null
            order by local_date desc, is_bot, currency limit 1
        ) as product_category,
        (
            select product_brand from agg_daily_products as days
            where days.product_id = rebuild.product_id and product_brand is not null
            order by local_date desc, is_bot, currency limit 1
        ) as product_brand,
        latest_price.price,
        latest_price.currency,
        seen.first_seen_on,
        seen.last_seen_on
    from rebuild
    cross join lateral (
        select min(local_date) as first_seen_on, max(local_date) as last_seen_on
        from agg_daily_products as days where days.product_id = rebuild.product_id
    ) as seen
    left join lateral (
        select price, currency from agg_daily_products as days
        where days.product_id = rebuild.product_id and price is not null
        order by local_date desc, is_bot, currency limit 1
    ) as latest_price on true
    where seen.first_seen_on is not null
)

select * from final
