-- What carts are made of. Only events of the partial index clickstream_events_cart are read, and of them the first up to a
-- limit: how many there are is the client's choice.
with

rebuild as (
    select visitor_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

early as materialized (
    select
        cart_events.*,
        visitor.person_id,
        count(*) over (partition by cart_events.visitor_id) >= cart_lines_limit as is_limit_reached,
        coalesce(sum(cart_events.line_count) over (
            partition by cart_events.visitor_id order by cart_events.event_timestamp, cart_events.event_id
            rows between unbounded preceding and 1 preceding
        ), 0) >= cart_lines_limit as is_beyond
    from rebuild
    cross join settings
    cross join lateral (
        select person_id from dim_visitor where dim_visitor.visitor_id = rebuild.visitor_id limit 1
    ) as visitor
    cross join lateral (
        select
            visitor_id, event_id, event_timestamp, event_name, order_key, product_id, product_name, quantity, currency,
            coalesce(product_discount_price, product_price) as price,
            case when event_name in ('add_to_cart', 'remove_from_cart') then coalesce(items, '[]') end as items,
            coalesce(jsonb_array_length(items), 1) as line_count
        from clickstream_events
        where clickstream_events.visitor_id = rebuild.visitor_id
            and clickstream_events.event_name in (
                'add_to_cart', 'remove_from_cart', 'view_cart', 'checkout', 'add_shipping_info', 'add_payment_info',
                'purchase'
            )
        order by clickstream_events.event_timestamp, clickstream_events.event_id
        limit settings.cart_lines_limit
    ) as cart_events
),

placed as (
    -- A visitor's sessions do not overlap: the last one that began before the event, if it had not ended.
    select
        early.*, visit.session_key, visit.channel, visit.device_type, visit.country, visit.is_bot,
        bool_or(early.is_limit_reached or early.is_beyond) over (partition by early.visitor_id) as is_cut
    from early
    cross join lateral (
        select * from fact_sessions as visits
        where visits.visitor_id = early.visitor_id and visits.started_at <= early.event_timestamp
        order by visits.started_at desc
        limit 1
    ) as visit
    where visit.ended_at >= early.event_timestamp
),

lines as (
    -- The items say what is added or removed, and the event's own product where none of them names it. A line that names
    -- no product is one of (none): that something was added is known.
    select
        placed.*, line.line_number, line.thing, line.pieces, line.line_price,
        null as order_id, null::numeric as revenue, null::numeric as refunded, null as order_currency
    from placed
    cross join lateral (
        select
            item.place::integer as line_number,
            coalesce(item.line ->> 'product_id', item.line ->> 'name', '(none)') as thing,
            coalesce((item.line ->> 'quantity')::integer, 1) as pieces,
            coalesce(
                (item.line ->> 'price')::numeric,
                case when item.line ->> 'product_id' = placed.product_id then placed.price end
            ) as line_price
        from jsonb_array_elements(placed.items) with ordinality as item (line, place)
        union all
        select 0, coalesce(placed.product_id, placed.product_name, '(none)'), coalesce(placed.quantity, 1), placed.price
        where placed.items = '[]'
            or placed.product_id not in (
                select coalesce(item.line ->> 'product_id', '') from jsonb_array_elements(placed.items) as item (line)
            )
    ) as line
    where placed.items is not null and not placed.is_beyond
    union all
    select placed.*, 0, null, null, null, null, null, null, null
    from placed
    where placed.items is null and placed.event_name <> 'purchase' and not placed.is_beyond
    union all
    -- An order is bought once, with the first of its purchase events.
    select placed.*, 0, null, null, null, bought.order_id, bought.revenue, bought.refunded, bought.currency
    from placed
    cross join lateral (
        select order_id, event_id, revenue, refunded, currency from fact_orders
        where fact_orders.order_id = placed.order_key
        limit 1
    ) as bought
    where placed.event_name = 'purchase' and bought.event_id = placed.event_id and not placed.is_beyond
),

final as (
    select
        visitor_id,
        event_id,
        line_number,
        person_id,
        event_timestamp,
        event_name,
        thing as product_id,
        pieces as quantity,
        trim_scale(line_price) as price,
        case when thing is not null then currency end as currency,
        order_id,
        revenue,
        refunded,
        order_currency,
        session_key,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        is_cut as is_limit_reached
    from lines
)

select * from final
