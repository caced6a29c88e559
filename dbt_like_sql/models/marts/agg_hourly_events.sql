with

final as (
    select
        hour_at,
        local_date,
        event_name,
        device_type,
        browser,
        is_bot,
        sum(events)::bigint as events,
        count(*) as row_count
    from fact_session_hours
    group by hour_at, local_date, event_name, device_type, browser, is_bot
)

select * from final
