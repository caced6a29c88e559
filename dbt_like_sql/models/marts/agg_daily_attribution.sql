with

final as (
    select
        local_date,
        channel,
        coalesce(source, '(none)') as source,
        coalesce(campaign, '(none)') as campaign,
        currency,
        is_bot,
        count(*) as touches,
        exact_amount(sum(first_orders)) as first_orders,
        exact_amount(sum(first_revenue)) as first_revenue,
        exact_amount(sum(last_orders)) as last_orders,
        exact_amount(sum(last_revenue)) as last_revenue,
        exact_amount(sum(last_non_direct_orders)) as last_non_direct_orders,
        exact_amount(sum(last_non_direct_revenue)) as last_non_direct_revenue,
        exact_amount(sum(linear_orders)) as linear_orders,
        exact_amount(sum(linear_revenue)) as linear_revenue,
        exact_amount(sum(position_orders)) as position_orders,
        exact_amount(sum(position_revenue)) as position_revenue,
        exact_amount(sum(time_decay_orders)) as time_decay_orders,
        exact_amount(sum(time_decay_revenue)) as time_decay_revenue,
        count(*) as row_count
    from fact_order_touches
    group by local_date, channel, coalesce(source, '(none)'), coalesce(campaign, '(none)'), currency, is_bot
)

select * from final
