with

counted as (
    -- A session's interest in a product, and a line of an order that holds it.
    select
        local_date, product_id, channel, device_type, country, currency, is_bot, views, (views > 0)::integer as viewed_sessions,
        (adds > 0)::integer as added_sessions, (adds > 0 and views = 0)::integer as added_unviewed_sessions,
        0 as orders, 0 as units, 0 as revenue, 0 as refunded, impressions, (impressions > 0)::integer as shown_sessions,
        is_clicked::integer as clicked_sessions
    from fact_session_products
    union all
    select
        local_date, product_id, channel, device_type, country, currency, is_bot, 0, 0, 0, 0, is_first_of_product::integer, quantity,
        coalesce(revenue, 0), refunded, 0, 0, 0
    from fact_order_items
    where product_id is not null
),

final as (
    select
        local_date,
        product_id,
        channel,
        device_type,
        country,
        currency,
        is_bot,
        sum(views)::bigint as views,
        sum(viewed_sessions)::integer as viewed_sessions,
        sum(added_sessions)::integer as added_sessions,
        sum(added_unviewed_sessions)::integer as added_unviewed_sessions,
        sum(orders)::integer as orders,
        sum(units)::bigint as units,
        exact_amount(sum(revenue)) as revenue,
        exact_amount(sum(refunded)) as refunded,
        count(*) as row_count,
        sum(impressions)::bigint as impressions,
        sum(shown_sessions)::integer as shown_sessions,
        sum(clicked_sessions)::integer as clicked_sessions
    from counted
    group by local_date, product_id, channel, device_type, country, currency, is_bot
)

select * from final
