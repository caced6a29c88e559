with

rebuild as (
    select person_id from rebuild_keys
),

carts as (
    select fact_carts.* from rebuild
    inner join fact_carts on fact_carts.person_id = rebuild.person_id
),

final as (
    -- The contents as the cart's own row has settled them.
    select
        carts.cart_key,
        item.line ->> 'product_id' as product_id,
        carts.person_id,
        carts.local_date,
        carts.outcome,
        carts.recovered_at is not null as is_recovered,
        (item.line ->> 'quantity')::bigint as quantity,
        (item.line ->> 'price')::numeric as price,
        exact_amount(coalesce((item.line ->> 'price')::numeric * (item.line ->> 'quantity')::bigint, 0)) as value,
        carts.currency,
        carts.channel,
        carts.device_type,
        carts.country,
        carts.is_bot
    from carts
    cross join lateral jsonb_array_elements(carts.lines) as item (line)
)

select * from final
