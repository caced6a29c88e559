-- An order is placed where a person's browser says so first; what a server, an import or a program reports of it comes second.

create function first_purchase(id text)
returns table (order_key text, event_id uuid, visitor_id text, event_timestamp timestamptz)
language sql stable parallel safe
begin atomic
    select early.order_key, early.event_id, early.visitor_id, early.event_timestamp
    from (
        select purchases.order_key, purchases.event_id, purchases.visitor_id, purchases.event_timestamp, purchases.agent_key
        from clickstream_events as purchases
        where purchases.order_key = id and purchases.event_name = 'purchase'
        order by purchases.event_timestamp, purchases.event_id
        limit (select order_events_limit from shop_settings)
    ) as early
    left join dim_user_agent on dim_user_agent.agent_key = early.agent_key
    order by dim_user_agent.kind is distinct from 'human', early.event_timestamp, early.event_id
    limit 1;
end;

-- A session in which more than one user signed in.
alter table fact_sessions add column is_shared boolean;
