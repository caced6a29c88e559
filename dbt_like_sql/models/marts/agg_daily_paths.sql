with

anchored as (
    select local_date, 'start' as anchor, first_steps as steps, channel, device_type, country, is_bot, has_purchase
    from fact_session_paths
    union all
    select local_date, 'end' as anchor, last_steps as steps, channel, device_type, country, is_bot, has_purchase
    from fact_session_paths
),

final as (
    select
        local_date,
        anchor,
        steps,
        channel,
        device_type,
        country,
        is_bot,
        count(*) as sessions,
        count(*) filter (where has_purchase) as sessions_with_purchase,
        count(*) as row_count
    from anchored
    group by local_date, anchor, steps, channel, device_type, country, is_bot
)

select * from final
