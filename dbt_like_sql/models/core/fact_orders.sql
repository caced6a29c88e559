-- All purchase events of an order id are one order. docs/metrics.md tells the rule, with examples.
with

rebuild as (
    select order_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

copies as (
    -- The first purchase events of an order, up to the limits. Later ones are kept and never read here: how many there are, and
    -- how long, is the client's choice.
    select
        early.*,
        early.event_id = first.event_id as is_first,
        coalesce(sum(early.line_count) over (
            partition by early.order_key order by early.event_timestamp, early.event_id
            rows between unbounded preceding and 1 preceding
        ), 0) >= settings.order_lines_limit as is_beyond,
        coalesce(
            first_value(early.currency) over (
                partition by early.order_key order by early.currency is null, early.event_timestamp, early.event_id
            ),
            settings.currency
        ) as money_currency
    from rebuild
    cross join settings
    cross join lateral first_purchase(rebuild.order_id) as first
    cross join lateral (
        select
            event_id, event_timestamp, visitor_id, order_id, order_key, currency, order_value, order_items, order_tax,
            order_shipping, order_discount, order_coupon, product_id, product_name, product_category, product_brand,
            coalesce(product_discount_price, product_price) as product_price, quantity, agent_key,
            coalesce(jsonb_array_length(order_items), 1) as line_count
        from clickstream_events
        where clickstream_events.order_key = rebuild.order_id and clickstream_events.event_name = 'purchase'
        order by clickstream_events.event_timestamp, clickstream_events.event_id
        limit settings.order_events_limit
    ) as early
),

purchases as (
    -- One of them is where and when the order was placed.
    select * from copies where is_first
),

judged as materialized (
    -- The planner takes a flag for true of half of the rows, and an equation for true of hardly any, which costs it the joins.
    select
        copies.*,
        not is_beyond and coalesce(currency, money_currency) = money_currency as is_counted,
        coalesce(dim_user_agent.kind = 'human', false) as is_person,
        -- Who tells of the order: a browser and its reload, or the shop's own server, or its export.
        visitor_id || '|' || coalesce(dim_user_agent.kind, '') as reporter
    from copies
    left join dim_user_agent on dim_user_agent.agent_key = copies.agent_key
),

spoken as (
    select * from judged where is_counted
),

sent_lines as (
    select
        spoken.order_key, spoken.reporter, spoken.event_id, spoken.event_timestamp, item.item_number,
        item.line ->> 'product_id' as product_id, item.line ->> 'name' as product_name,
        item.line ->> 'category' as product_category, item.line ->> 'brand' as product_brand,
        trim_scale((item.line ->> 'price')::numeric) as price, coalesce((item.line ->> 'quantity')::integer, 1) as quantity
    from spoken
    cross join lateral jsonb_array_elements(spoken.order_items) with ordinality as item (line, item_number)
    union all
    -- A purchase event that lists no items but is about one product.
    select
        order_key, reporter, event_id, event_timestamp, 1, product_id, product_name, product_category, product_brand,
        trim_scale(product_price), coalesce(quantity, 1)
    from spoken
    where order_items is null and product_id is not null
),

known_lines as (
    -- A price that one event leaves out is the one that another gives for as many pieces of the same thing.
    select
        sent_lines.*,
        coalesce(product_id, 'name ' || product_name, '') as thing,
        coalesce(
            price,
            first_value(price) over (
                partition by order_key, coalesce(product_id, 'name ' || product_name, ''), quantity
                order by price is null, event_timestamp, event_id, item_number
            )
        ) as known_price,
        row_number() over (partition by order_key order by event_timestamp, event_id, item_number) as place
    from sent_lines
),

counted_lines as (
    select
        known_lines.*,
        row_number() over (
            partition by order_key, event_id, thing, quantity, known_price order by item_number
        ) as copy_number
    from known_lines
),

merged_lines as (
    -- Of one reporter, equal lines of two events are one line; of one event they are two.
    select
        order_key, reporter, thing, quantity, known_price as price, copy_number,
        row_number() over (partition by order_key, reporter order by min(place)) as item_number,
        (array_agg(product_id order by place) filter (where product_id is not null))[1] as product_id,
        (array_agg(product_name order by place) filter (where product_name is not null))[1] as product_name,
        (array_agg(product_category order by place) filter (where product_category is not null))[1] as product_category,
        (array_agg(product_brand order by place) filter (where product_brand is not null))[1] as product_brand
    from counted_lines
    group by order_key, reporter, thing, quantity, known_price, copy_number
),

speakers as (
    -- Two reporters may name and price the same things in their own ways, so lines are one reporter's: of the most lines and
    -- prices, and then of the shop itself, which knows what was paid.
    select distinct on (merged_lines.order_key) merged_lines.order_key, merged_lines.reporter
    from merged_lines
    inner join (
        select order_key, reporter, bool_or(is_person) as is_person, min(event_timestamp) as told_at from spoken
        group by order_key, reporter
    ) as tellers on tellers.order_key = merged_lines.order_key and tellers.reporter = merged_lines.reporter
    group by merged_lines.order_key, merged_lines.reporter, tellers.is_person, tellers.told_at
    order by
        merged_lines.order_key, count(*) desc, count(merged_lines.price) desc, tellers.is_person, tellers.told_at,
        merged_lines.reporter
),

order_lines as (
    select merged_lines.* from speakers
    inner join merged_lines
        on merged_lines.order_key = speakers.order_key and merged_lines.reporter = speakers.reporter
),

line_sums as (
    select
        order_key,
        count(*) as line_count,
        sum(quantity) as pieces,
        sum(price * quantity) as amount,
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'product_id', product_id, 'name', product_name, 'category', product_category, 'brand', product_brand,
                'price', price, 'quantity', quantity
            ))
            order by item_number
        ) as lines
    from order_lines
    group by order_key
),

own_lines as (
    -- What each event's own lines are, by the place where each was first told, and come to. Grouped and not joined: the planner
    -- takes equal lines for hardly any.
    select
        event_id,
        count(*) as line_count,
        array_agg(first_place order by first_place) as line_places,
        case when count(known_price) = count(*) then sum(known_price * quantity) end as amount
    from (
        select
            counted_lines.*,
            min(place) over (
                partition by order_key, reporter, thing, quantity, known_price, copy_number
            ) as first_place
        from counted_lines
    ) as told
    group by event_id
),

said as (
    -- An event that has all lines of the order, or none, speaks for the order; another one for its own lines. What another
    -- reporter says stands in where the one with the lines says nothing.
    select
        spoken.order_key, spoken.event_id, spoken.event_timestamp, spoken.order_value as value,
        own_lines.line_places, own_lines.line_count, own_lines.amount,
        coalesce(spoken.reporter <> speakers.reporter, false) as is_another,
        spoken.reporter is distinct from speakers.reporter
        or coalesce(own_lines.line_count, line_sums.line_count) = line_sums.line_count as is_whole
    from spoken
    left join own_lines on own_lines.event_id = spoken.event_id
    left join line_sums on line_sums.order_key = spoken.order_key
    left join speakers on speakers.order_key = spoken.order_key
),

said_of_all as (
    -- Of several the first, and 0 only where nothing else is said.
    select
        order_key,
        (array_agg(value order by value = 0, event_timestamp, event_id) filter (where value is not null and not is_another))[1]
            as value,
        (array_agg(value order by value = 0, event_timestamp, event_id) filter (where value is not null and is_another))[1]
            as others_value
    from said
    where is_whole
    group by order_key
),

parts as (
    select distinct on (order_key, line_places) order_key, line_places, line_count, value, amount
    from said
    where not is_whole
    order by order_key, line_places, value is null, value = 0, event_timestamp, event_id
),

said_of_parts as (
    -- A value that all lines come to, or the same with every part and other than what the part comes to, is the order's; else
    -- the parts' values add up, where no line is in two of them.
    select
        parts.order_key,
        case
            when count(parts.value) = 0 then null
            when count(*) > 1 and bool_or(parts.value = line_sums.amount and parts.value is distinct from parts.amount)
                then min(line_sums.amount)
            when count(*) > 1 and min(parts.value) = max(parts.value) and count(parts.value) = count(*)
                and not bool_and(parts.value is not distinct from parts.amount)
                then min(parts.value)
            when sum(parts.line_count) = min(line_sums.line_count) and count(coalesce(parts.value, parts.amount)) = count(*)
                then sum(coalesce(parts.value, parts.amount))
        end as value
    from parts
    inner join line_sums on line_sums.order_key = parts.order_key
    group by parts.order_key
),

named as (
    -- Tax, shipping, discount and coupon: the first word of any event.
    select
        order_key,
        (array_agg(order_tax order by event_timestamp, event_id) filter (where order_tax is not null))[1] as tax,
        (array_agg(order_shipping order by event_timestamp, event_id) filter (where order_shipping is not null))[1]
            as shipping,
        (array_agg(order_discount order by event_timestamp, event_id) filter (where order_discount is not null))[1]
            as discount,
        (array_agg(order_coupon order by event_timestamp, event_id) filter (where order_coupon is not null))[1] as coupon,
        (array_agg(quantity order by event_timestamp, event_id) filter (where quantity is not null))[1] as quantity,
        (array_agg(coalesce(quantity, 1) * product_price order by event_timestamp, event_id)
            filter (where product_price is not null))[1] as product_amount
    from spoken
    group by order_key
),

valued as (
    select
        purchases.*,
        named.tax,
        named.shipping,
        named.discount,
        named.coupon,
        line_sums.lines,
        coalesce(line_sums.amount, 0) as lines_amount,
        coalesce(line_sums.pieces, named.quantity, 1) as pieces,
        coalesce(
            nullif(said_of_all.value, 0),
            said_of_parts.value,
            nullif(said_of_all.others_value, 0),
            said_of_all.value,
            said_of_all.others_value,
            greatest(coalesce(line_sums.amount, named.product_amount) - coalesce(named.discount, 0), 0),
            0
        ) as revenue
    from purchases
    inner join named on named.order_key = purchases.order_key
    left join line_sums on line_sums.order_key = purchases.order_key
    left join said_of_all on said_of_all.order_key = purchases.order_key
    left join said_of_parts on said_of_parts.order_key = purchases.order_key
),

returned as (
    -- The first refunds of an order, up to the limits; the column is_id_overused says that there are more.
    select
        early.*,
        coalesce(early.currency, valued.money_currency) = valued.money_currency as is_in_currency,
        coalesce(sum(early.line_count) over (
            partition by early.order_key order by early.event_timestamp, early.event_id
            rows between unbounded preceding and 1 preceding
        ), 0) >= settings.order_lines_limit as is_beyond
    from valued
    cross join settings
    cross join lateral (
        select
            event_id, event_timestamp, order_key, currency, order_value, order_items, product_id,
            coalesce(product_discount_price, product_price) as product_price, quantity,
            coalesce(jsonb_array_length(order_items), 1) as line_count
        from clickstream_events
        where clickstream_events.order_key = valued.order_key and clickstream_events.event_name = 'refund'
        order by clickstream_events.event_timestamp, clickstream_events.event_id
        limit settings.order_events_limit
    ) as early
),

given_back as (
    select * from returned where is_in_currency and not is_beyond
),

overlong as (
    select order_key from copies where is_beyond
    union
    select order_key from returned where is_beyond
),

refund_lines as (
    select
        given_back.order_key, given_back.event_id, item.line ->> 'product_id' as product_id,
        (item.line ->> 'price')::numeric as price, coalesce((item.line ->> 'quantity')::integer, 1) as quantity
    from given_back
    cross join lateral jsonb_array_elements(given_back.order_items) as item (line)
    union all
    select order_key, event_id, product_id, product_price, coalesce(quantity, 1)
    from given_back
    where order_items is null and product_id is not null
),

sold as (
    select distinct on (merged_lines.order_key, merged_lines.product_id)
        merged_lines.order_key, merged_lines.product_id, merged_lines.price
    from merged_lines
    inner join speakers on speakers.order_key = merged_lines.order_key
    where merged_lines.product_id is not null and merged_lines.price is not null
    order by
        merged_lines.order_key, merged_lines.product_id, merged_lines.reporter <> speakers.reporter,
        merged_lines.item_number, merged_lines.reporter
),

priced_refund_lines as (
    -- A line without a price gives back what the order has for its product.
    select refund_lines.*, coalesce(refund_lines.price, sold.price) * refund_lines.quantity as amount
    from refund_lines
    left join sold on sold.order_key = refund_lines.order_key and sold.product_id = refund_lines.product_id
),

refund_amounts as (
    -- By amount, else by item, else of all.
    select
        given_back.order_key,
        coalesce(
            given_back.order_value,
            case when count(lines.event_id) > 0 then coalesce(sum(lines.amount), 0) end,
            valued.revenue
        ) as amount
    from given_back
    inner join valued on valued.order_key = given_back.order_key
    left join priced_refund_lines as lines
        on lines.order_key = given_back.order_key and lines.event_id = given_back.event_id
    group by given_back.order_key, given_back.event_id, given_back.order_value, valued.revenue
),

refunds as (
    select order_key, sum(amount) as refunded from refund_amounts group by order_key
),

refunded_products as (
    select order_key, jsonb_object_agg(product_id, trim_scale(amount)) as products
    from (
        select order_key, product_id, sum(amount) as amount
        from priced_refund_lines
        where product_id is not null and amount is not null
        group by order_key, product_id
    ) as by_product
    group by order_key
),

placed as (
    -- A visitor's sessions do not overlap: the last one that began before the order, if it had not ended.
    select valued.order_key, valued.event_timestamp, valued.event_id, fact_sessions.*
    from valued
    cross join lateral (
        select visits.session_key from fact_sessions as visits
        where visits.visitor_id = valued.visitor_id and visits.started_at <= valued.event_timestamp
        order by visits.started_at desc
        limit 1
    ) as latest
    inner join fact_sessions
        on fact_sessions.session_key = latest.session_key and fact_sessions.ended_at >= valued.event_timestamp
),

visits as (
    select distinct session_key, visitor_id, started_at, ended_at from placed where search_count > 0
),

timeline as (
    -- Searches and orders of a session in one line, read once: a session may have thousands of both.
    select
        visits.session_key, clickstream_events.event_timestamp, clickstream_events.event_id,
        search_term(clickstream_events.search_query) as term, null as order_key
    from visits
    inner join clickstream_events
        on clickstream_events.visitor_id = visits.visitor_id
        and clickstream_events.event_timestamp between visits.started_at and visits.ended_at
        and clickstream_events.event_name = 'search'
    where search_term(clickstream_events.search_query) is not null
    union all
    select session_key, event_timestamp, event_id, null, order_key from placed where search_count > 0
),

numbered as (
    -- What happens at the time of a search follows it.
    select
        timeline.*,
        count(term) over (partition by session_key order by event_timestamp, term is null, event_id) as search_number
    from timeline
),

led as (
    -- The last search of the session at or before the order led to it.
    select order_key, led_by as term
    from (
        select numbered.*, max(term) over (partition by session_key, search_number) as led_by
        from numbered
        where search_number > 0
    ) as searched
    where order_key is not null
),

final as (
    select
        valued.order_key as order_id,
        valued.event_id,
        valued.visitor_id,
        placed.session_key,
        valued.event_timestamp as ordered_at,
        (valued.event_timestamp at time zone settings.timezone)::date as local_date,
        exact_amount(valued.revenue) as revenue,
        exact_amount(least(coalesce(refunds.refunded, 0), valued.revenue)) as refunded,
        valued.money_currency as currency,
        valued.pieces::bigint as item_count,
        valued.order_id is not null as has_order_id,
        placed.is_bot,
        exists (
            select 1 from clickstream_events as copies
            where copies.order_key = valued.order_key and copies.event_name = 'purchase'
            offset settings.order_events_limit
        )
        or exists (
            select 1 from clickstream_events as copies
            where copies.order_key = valued.order_key and copies.event_name = 'refund'
            offset settings.order_events_limit
        )
        or valued.order_key in (select order_key from overlong) as is_id_overused,
        placed.channel,
        placed.source,
        placed.medium,
        placed.campaign,
        placed.device_type,
        placed.country,
        led.term as search_term,
        exact_amount(valued.tax) as tax,
        exact_amount(valued.shipping) as shipping,
        exact_amount(valued.discount) as discount,
        valued.coupon,
        exact_amount(valued.revenue - valued.lines_amount) as adjustment,
        valued.lines,
        refunded_products.products as refunded_products
    from valued
    cross join settings
    inner join placed on placed.order_key = valued.order_key
    left join refunds on refunds.order_key = valued.order_key
    left join refunded_products on refunded_products.order_key = valued.order_key
    left join led on led.order_key = valued.order_key
)

select * from final
