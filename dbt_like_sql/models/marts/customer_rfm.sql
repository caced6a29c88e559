-- A score is how many fifths of the buyers are beaten, so equal values have equal scores. Recency is counted from the latest buyer
-- down and frequency from the fewest purchases up: however few or alike the buyers are, who bought last has a 5, and a single
-- purchase, where somebody has one, is a 1.
with

buyers as (
    select
        fact_customers.*,
        greatest(last_whole_day.local_date - fact_customers.last_order_on, 0) as days_since_order,
        fact_customers.revenue - fact_customers.refunded as net_revenue
    from fact_customers
    cross join last_whole_day
),

scored as (
    select
        buyers.*,
        5 - 5 * (rank() over (partition by is_bot order by days_since_order) - 1) / count(*) over (partition by is_bot)
            as recency,
        1 + 5 * (rank() over (partition by is_bot order by purchases) - 1) / count(*) over (partition by is_bot) as frequency,
        1 + 5 * (rank() over (partition by is_bot, currency order by net_revenue) - 1)
            / count(*) over (partition by is_bot, currency) as monetary
    from buyers
),

final as (
    select
        person_id,
        is_bot,
        recency::integer as recency,
        frequency::integer as frequency,
        monetary::integer as monetary,
        case
            when recency = 5 and frequency >= 4 then 'champions'
            when recency >= 3 and frequency >= 4 then 'loyal'
            when recency >= 4 and frequency >= 2 then 'potential loyalists'
            when recency = 5 then 'new'
            when recency = 4 then 'promising'
            when recency = 3 and frequency = 3 then 'need attention'
            when recency = 3 then 'about to sleep'
            when frequency = 5 then 'cannot lose'
            when frequency >= 3 then 'at risk'
            else 'hibernating'
        end as rfm_group,
        days_since_order,
        orders,
        purchases,
        currency,
        net_revenue,
        local_date,
        channel,
        device_type,
        country
    from scored
)

select * from final
