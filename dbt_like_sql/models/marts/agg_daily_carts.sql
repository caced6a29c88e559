with

counted as (
    select
        local_date, deepest_step, channel, device_type, country, currency, is_bot,
        1 as carts,
        (outcome = 'bought')::integer as bought,
        (outcome = 'emptied')::integer as emptied,
        (outcome = 'abandoned')::integer as abandoned,
        (outcome = 'abandoned' and unpriced_pieces > 0)::integer as abandoned_unpriced,
        (recovered_at is not null)::integer as recovered,
        (outcome = 'abandoned' and bought_at is not null and recovered_at is null)::integer as bought_late,
        case when outcome = 'abandoned' then value else 0 end as abandoned_value,
        case when recovered_at is not null then value else 0 end as recovered_value,
        0 as bought_revenue, 0 as recovered_revenue, 0 as recovered_refunded,
        coalesce(floor(extract(epoch from recovered_at - left_at)), 0) as recovered_seconds
    from fact_carts
    union all
    -- What was paid, in the currency of the order.
    select
        local_date, deepest_step, channel, device_type, country, order_currency, is_bot, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        case when outcome = 'bought' then revenue else 0 end,
        case when recovered_at is not null then revenue else 0 end,
        case when recovered_at is not null then refunded else 0 end,
        0
    from fact_carts
    where order_id is not null
),

final as (
    select
        local_date,
        deepest_step,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        sum(carts)::integer as carts,
        sum(bought)::integer as bought,
        sum(emptied)::integer as emptied,
        sum(abandoned)::integer as abandoned,
        sum(abandoned_unpriced)::integer as abandoned_unpriced,
        sum(recovered)::integer as recovered,
        sum(bought_late)::integer as bought_late,
        exact_amount(sum(abandoned_value)) as abandoned_value,
        exact_amount(sum(recovered_value)) as recovered_value,
        exact_amount(sum(bought_revenue)) as bought_revenue,
        exact_amount(sum(recovered_revenue)) as recovered_revenue,
        exact_amount(sum(recovered_refunded)) as recovered_refunded,
        sum(recovered_seconds)::bigint as recovered_seconds,
        count(*) as row_count
    from counted
    group by local_date, deepest_step, channel, device_type, country, currency, is_bot
)

select * from final
