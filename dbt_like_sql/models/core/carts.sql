-- A view: what state a cart is in depends on the time that it is looked at, which is the end of the latest loaded hour.
select
    fact_carts.cart_key,
    fact_carts.person_id,
    loaded.as_of,
    case
        when fact_carts.bought_at <= loaded.as_of then
            case
                when fact_carts.refunded > 0 and fact_carts.refunded >= fact_carts.revenue then 'refunded'
                when fact_carts.recovered_at is not null then 'recovered'
                else 'bought'
            end
        when fact_carts.emptied_at <= loaded.as_of then 'emptied'
        when fact_carts.abandoned_at <= loaded.as_of then 'abandoned'
        when fact_carts.last_event_at >= loaded.as_of - shop_settings.session_gap then 'open'
        else 'idle'
    end as state,
    case
        when fact_carts.bought_at <= loaded.as_of then fact_carts.revenue
        when fact_carts.emptied_at <= loaded.as_of then fact_carts.largest_value
        when fact_carts.abandoned_at <= loaded.as_of and fact_carts.emptied_at is null then fact_carts.value
        when fact_carts.abandoned_at <= loaded.as_of then fact_carts.largest_value
        else fact_carts.last_value
    end as value,
    case when fact_carts.bought_at <= loaded.as_of then fact_carts.order_currency else fact_carts.currency end as currency,
    fact_carts.started_at,
    fact_carts.last_add_at,
    fact_carts.last_event_at,
    fact_carts.abandoned_at,
    fact_carts.bought_at,
    fact_carts.emptied_at,
    fact_carts.deepest_step,
    fact_carts.order_id,
    fact_carts.session_key,
    fact_carts.channel,
    fact_carts.device_type,
    fact_carts.country,
    fact_carts.is_bot
from fact_carts
cross join shop_settings
cross join (
    select
        coalesce(max(partition_hour) filter (where is_closed) + interval '1 hour', max(partition_hour)) as as_of
    from loaded_hours
) as loaded
