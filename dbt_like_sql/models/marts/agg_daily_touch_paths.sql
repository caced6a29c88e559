with

journeys as (
    select local_date, path, currency, is_bot, 1 as orders, last_revenue as revenue, 0 as lost_journeys
    from fact_order_touches
    where path is not null
    union all
    select local_date, path, '(none)' as currency, is_bot, 0 as orders, 0 as revenue, 1 as lost_journeys
    from fact_lost_journeys
),

final as (
    select
        local_date,
        path,
        currency,
        is_bot,
        sum(orders)::bigint as orders,
        exact_amount(sum(revenue)) as revenue,
        sum(lost_journeys)::bigint as lost_journeys,
        count(*) as row_count
    from journeys
    group by local_date, path, currency, is_bot
)

select * from final
