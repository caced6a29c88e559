with

rebuild as (
    select local_date from rebuild_keys
),

steps as (
    select step.number::integer as step, step.event_name
    from shop_settings
    cross join lateral unnest(shop_settings.funnel_steps) with ordinality as step (event_name, number)
),

sessions as (
    select
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        fact_sessions.is_bot,
        fact_sessions.funnel_step
    from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
),

depths as (
    select local_date, channel, device_type, country, is_bot, funnel_step, count(*) as sessions
    from sessions
    group by local_date, channel, device_type, country, is_bot, funnel_step
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
        coalesce(sum(depths.sessions) filter (where depths.funnel_step >= steps.step), 0)::bigint as sessions
    from depths
    cross join steps
    group by
        depths.local_date, steps.step, steps.event_name, depths.channel, depths.device_type, depths.country,
        depths.is_bot
)

select * from final
