-- Lists, and not pairs: those would be hundreds for a session. They are made of the lists when somebody asks.
with

rebuild as (
    select session_key from rebuild_keys
),

limits as (
    select 30 as products
),

products as (
    select fact_session_products.session_key, 'viewed' as list, fact_session_products.product_id, fact_session_products.last_at
    from rebuild
    inner join fact_session_products on fact_session_products.session_key = rebuild.session_key
    where fact_session_products.views > 0
    union all
    select fact_orders.session_key, 'bought', item.line ->> 'product_id', max(fact_orders.ordered_at)
    from rebuild
    inner join fact_orders on fact_orders.session_key = rebuild.session_key
    cross join lateral jsonb_array_elements(fact_orders.lines) as item (line)
    where item.line ->> 'product_id' is not null
    group by fact_orders.session_key, item.line ->> 'product_id'
),

placed as (
    select
        products.*,
        row_number() over (partition by session_key, list order by last_at desc, product_id collate "C") as place
    from products
),

baskets as (
    select
        placed.session_key,
        array_agg(placed.product_id order by placed.product_id collate "C")
            filter (where placed.list = 'viewed' and placed.place <= limits.products) as viewed,
        array_agg(placed.product_id order by placed.product_id collate "C")
            filter (where placed.list = 'bought' and placed.place <= limits.products) as bought,
        bool_or(placed.place > limits.products) as is_limit_reached
    from placed
    cross join limits
    group by placed.session_key
),

final as (
    select
        baskets.session_key,
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        fact_sessions.is_bot,
        coalesce(baskets.viewed, '{}') as viewed,
        coalesce(baskets.bought, '{}') as bought,
        baskets.is_limit_reached
    from baskets
    inner join fact_sessions on fact_sessions.session_key = baskets.session_key
)

select * from final
