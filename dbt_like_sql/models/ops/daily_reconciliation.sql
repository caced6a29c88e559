with

judged as (
    select *, is_in_shop and outcome <> 'sold by events alone' as is_sale
    from order_reconciliation
    where is_judged
),

final as (
    select
        local_date,
        currency,
        count(*) filter (where is_sale) as orders,
        count(*) filter (where is_sale and is_in_events) as arrived,
        count(*) filter (where is_sale and not is_in_events) as missing,
        count(*) filter (where is_sale and is_in_events and outcome <> 'agrees') as differing,
        count(*) filter (where not is_sale) as surplus,
        coalesce(sum(total) filter (where is_sale), 0) as revenue,
        coalesce(sum(arrived) filter (where is_sale), 0) as arrived_revenue
    from judged
    group by local_date, currency
)

select * from final
