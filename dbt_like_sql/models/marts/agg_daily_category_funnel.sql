with

steps as (
    select step.number::integer as step, step.event_name
    from shop_settings
    cross join lateral unnest(shop_settings.funnel_steps) with ordinality as step (event_name, number)
),

final as (
    select
        fact_session_categories.local_date,
        fact_session_categories.product_category,
        steps.step,
        steps.event_name,
        fact_session_categories.channel,
        fact_session_categories.device_type,
        fact_session_categories.country,
        fact_session_categories.is_bot,
        count(*) filter (where fact_session_categories.depth >= steps.step) as sessions,
        count(*) as row_count
    from fact_session_categories
    cross join steps
    group by
        fact_session_categories.local_date, fact_session_categories.product_category, steps.step, steps.event_name,
        fact_session_categories.channel, fact_session_categories.device_type, fact_session_categories.country,
        fact_session_categories.is_bot
)

select * from final
