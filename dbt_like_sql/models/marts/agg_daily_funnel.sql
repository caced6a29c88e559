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
    select fact_sessions.local_date, fact_sessions.is_bot, fact_sessions.funnel_step, count(*) as sessions
    from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
    group by fact_sessions.local_date, fact_sessions.is_bot, fact_sessions.funnel_step
),

final as (
    select
        sessions.local_date,
        steps.step,
        steps.event_name,
        sessions.is_bot,
        coalesce(sum(sessions.sessions) filter (where sessions.funnel_step >= steps.step), 0)::bigint as sessions
    from sessions
    cross join steps
    group by sessions.local_date, steps.step, steps.event_name, sessions.is_bot
)

select * from final
