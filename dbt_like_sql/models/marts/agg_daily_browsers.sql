with

final as (
    select
        local_date,
        coalesce(browser, '(none)') as browser,
        coalesce(operating_system, '(none)') as operating_system,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        count(*)::integer as sessions,
        count(*) filter (where purchase_count > 0)::integer as sessions_with_purchase,
        count(*) as row_count
    from fact_sessions
    group by
        local_date, coalesce(browser, '(none)'), coalesce(operating_system, '(none)'), channel,
        coalesce(device_type, '(none)'), coalesce(country, '(none)'), is_bot
)

select * from final
