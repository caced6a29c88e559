with

rebuild as (
    select visitor_id from rebuild_keys
),

final as (
    select
        fact_sessions.session_key,
        fact_sessions.visitor_id,
        dim_visitor.person_id,
        fact_sessions.started_at,
        fact_sessions.local_date,
        fact_sessions.channel,
        fact_sessions.source,
        fact_sessions.medium,
        fact_sessions.campaign,
        fact_sessions.is_bot,
        -- What only reports an order, as a shop's own server does, brought nobody to the shop.
        fact_sessions.channel <> 'direct'
        or fact_sessions.page_view_count + fact_sessions.product_view_count + fact_sessions.search_count
        + fact_sessions.click_count + fact_sessions.add_to_cart_count + fact_sessions.checkout_count > 0 as is_visit
    from rebuild
    inner join dim_visitor on dim_visitor.visitor_id = rebuild.visitor_id
    inner join fact_sessions on fact_sessions.visitor_id = rebuild.visitor_id
)

select * from final
