with

final as (
    select
        local_date,
        product_id,
        currency,
        channel,
        device_type,
        country,
        is_bot,
        count(*)::integer as carts,
        count(*) filter (where outcome = 'abandoned')::integer as abandoned_carts,
        coalesce(sum(quantity) filter (where outcome = 'abandoned'), 0)::bigint as abandoned_pieces,
        exact_amount(coalesce(sum(value) filter (where outcome = 'abandoned'), 0)) as abandoned_value,
        count(*) filter (where is_recovered)::integer as recovered_carts,
        coalesce(sum(quantity) filter (where is_recovered), 0)::bigint as recovered_pieces,
        exact_amount(coalesce(sum(value) filter (where is_recovered), 0)) as recovered_value,
        count(*) as row_count
    from fact_cart_items
    group by local_date, product_id, currency, channel, device_type, country, is_bot
)

select * from final
