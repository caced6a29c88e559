-- Orders that have expired: the sums count them already, so a purchase event that is sent again later makes none of them anew.

create table expired_orders (order_hash uuid primary key);
comment on table expired_orders is 'MD5 of the ids of orders all of whose purchase events have expired: no later one makes the order anew.';

create or replace function first_purchase(id text)
returns table (order_key text, event_id uuid, visitor_id text, event_timestamp timestamptz)
language sql stable parallel safe
begin atomic
    select early.order_key, early.event_id, early.visitor_id, early.event_timestamp
    from (
        select purchases.order_key, purchases.event_id, purchases.visitor_id, purchases.event_timestamp, purchases.agent_key
        from clickstream_events as purchases
        where purchases.order_key = id and purchases.event_name = 'purchase'
            and not exists (select from expired_orders where expired_orders.order_hash = md5(id)::uuid)
        order by purchases.event_timestamp, purchases.event_id
        limit (select order_events_limit from shop_settings)
    ) as early
    left join dim_user_agent on dim_user_agent.agent_key = early.agent_key
    order by dim_user_agent.kind is distinct from 'human', early.event_timestamp, early.event_id
    limit 1;
end;
