with

steps as (
    select step.number::integer as step, step.event_name
    from shop_settings
    cross join lateral unnest(shop_settings.funnel_steps) with ordinality as step (event_name, number)
),

depths as (
    select
        local_date, channel, coalesce(device_type, '(none)') as device_type, coalesce(country, '(none)') as country,
        is_bot, funnel_step, count(*) as sessions
    from fact_sessions
    group by local_date, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot, funnel_step
),

final as (
    select
        depths.local_date,
        steps.step,
        steps.event_name,
        depths.channel,
        depths.device_type,
        depths.country,
        depths.is_bot,
        coalesce(sum(depths.sessions) filter (where depths.funnel_step >= steps.step), 0)::bigint as sessions,
        sum(depths.sessions)::bigint as row_count
    from depths
    cross join steps
    group by
        depths.local_date, steps.step, steps.event_name, depths.channel, depths.device_type, depths.country,
        depths.is_bot
)

select * from final
