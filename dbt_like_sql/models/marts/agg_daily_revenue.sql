with

rebuild as (
    select local_date from rebuild_keys
),

orders as (
    select
        fact_orders.*,
        fact_sessions.channel,
        coalesce(fact_sessions.source, '(none)') as source,
        coalesce(fact_sessions.medium, '(none)') as medium,
        coalesce(fact_sessions.campaign, '(none)') as campaign,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country
    from rebuild
    inner join fact_orders on fact_orders.local_date = rebuild.local_date
    inner join fact_sessions on fact_sessions.session_key = fact_orders.session_key
),

final as (
    select
        local_date,
        channel,
        source,
        medium,
        campaign,
        device_type,
        country,
        currency,
        is_bot,
        count(*)::integer as orders,
        sum(item_count)::bigint as items,
        sum(revenue) as revenue,
        sum(refunded) as refunded
    from orders
    group by local_date, channel, source, medium, campaign, device_type, country, currency, is_bot
)

select * from final
