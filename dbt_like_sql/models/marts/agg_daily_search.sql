-- Searches count on the date of their session, orders on their own.
with

counted as (
    select
        local_date, term, channel, device_type, country, currency, is_bot,
        searches, without_results, clicked, 1 as sessions, 0 as orders, 0 as revenue
    from fact_session_searches
    union all
    select
        local_date, search_term, channel, coalesce(device_type, '(none)'), coalesce(country, '(none)'), currency, is_bot,
        0, 0, 0, 0, 1, revenue
    from fact_orders
    where search_term is not null
),

final as (
    select
        local_date,
        term,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        sum(searches)::bigint as searches,
        sum(without_results)::bigint as without_results,
        sum(clicked)::bigint as clicked,
        sum(sessions)::bigint as sessions,
        sum(orders)::bigint as orders,
        exact_amount(sum(revenue)) as revenue,
        count(*) as row_count
    from counted
    group by local_date, term, channel, device_type, country, currency, is_bot
)

select * from final
