with

counted as (
    select
        local_date, is_bot, 0 as visitors, 0 as people, is_new_visitor::integer as new_visitors, 1 as sessions,
        is_bounce::integer as bounces, is_engaged::integer as engaged_sessions,
        page_view_count + product_view_count as page_views, event_count as events,
        extract(epoch from ended_at - started_at) as duration_seconds,
        (purchase_count > 0)::integer as sessions_with_purchase, order_count as orders
    from fact_sessions
    union all
    select local_date, is_bot, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from fact_visitor_days
    union all
    select local_date, is_bot, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 from fact_person_days
),

final as (
    select
        local_date,
        is_bot,
        sum(visitors)::integer as visitors,
        sum(people)::integer as people,
        sum(new_visitors)::integer as new_visitors,
        sum(sessions)::integer as sessions,
        sum(bounces)::integer as bounces,
        sum(engaged_sessions)::integer as engaged_sessions,
        sum(page_views)::bigint as page_views,
        sum(events)::bigint as events,
        exact_amount(sum(duration_seconds)) as duration_seconds,
        sum(sessions_with_purchase)::integer as sessions_with_purchase,
        sum(orders)::bigint as orders,
        count(*) as row_count
    from counted
    group by local_date, is_bot
)

select * from final
