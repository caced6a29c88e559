-- A person's carts, one after the other. docs/metrics.md tells the rule, tests/warehouse/carts.md has worked examples.
with

rebuild as (
    select person_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

steps as materialized (
    -- The first cart events of a person, up to the limit. What happens at one time happens in the order of the steps.
    select
        early.*,
        row_number() over (
            partition by early.person_id order by early.event_timestamp, early.step, early.event_id, early.line_number
        ) as place,
        bool_or(early.is_limit_reached) over (partition by early.person_id)
        or count(*) over (partition by early.person_id) >= settings.cart_lines_limit as is_cut
    from rebuild
    cross join settings
    cross join lateral (
        select
            fact_cart_events.*,
            array_position(
                array[
                    'add_to_cart', 'remove_from_cart', 'view_cart', 'checkout', 'add_shipping_info', 'add_payment_info',
                    'purchase'
                ],
                event_name
            ) as step
        from fact_cart_events
        where fact_cart_events.person_id = rebuild.person_id
        order by event_timestamp, step, event_id, line_number
        limit settings.cart_lines_limit
    ) as early
),

parted as (
    select
        steps.*,
        coalesce(
            lag(event_name) over by_place = 'purchase'
            or event_timestamp - lag(event_timestamp) over by_place > settings.cart_life,
            false
        ) as is_parted
    from steps
    cross join settings
    window by_place as (partition by person_id order by place)
),

stretches as (
    -- After a purchase, or after a long silence, nothing is in the cart.
    select parted.*, count(*) filter (where is_parted) over (partition by person_id order by place) as stretch
    from parted
),

netted as (
    select
        stretches.*,
        coalesce(sum(case event_name when 'add_to_cart' then quantity when 'remove_from_cart' then -quantity end) over (
            partition by person_id, stretch, product_id order by place
        ), 0) as net
    from stretches
),

held as (
    -- Removing what is not there does nothing: what was removed in vain so far is the lowest that the sum has come to.
    select
        netted.*,
        net - least(min(net) over (partition by person_id, stretch, product_id order by place), 0) as quantity_held
    from netted
),

moved as (
    select
        held.*,
        quantity_held - lag(quantity_held, 1, 0) over (
            partition by person_id, stretch, product_id order by place
        ) as change
    from held
),

filled as (
    select
        moved.*,
        change < 0 and sum(change) over by_place = 0 as is_emptying,
        sum(change) over by_place as pieces_held
    from moved
    window by_place as (partition by person_id, stretch order by place)
),

numbered as (
    select
        filled.*,
        count(*) filter (where is_emptying) over (
            partition by person_id, stretch order by place rows between unbounded preceding and 1 preceding
        ) as emptied_before
    from filled
),

in_carts as (
    -- Steps with nothing in the cart are no cart's.
    select
        numbered.*,
        min(place) over (partition by person_id, stretch, emptied_before) as cart_place
    from numbered
    where pieces_held > 0 or is_emptying
),

named as (
    -- Money is in the first currency that is named; a price in another one is none.
    select
        in_carts.*,
        coalesce(
            first_value(in_carts.currency) over (
                partition by person_id, cart_place order by in_carts.currency is null, place
            ),
            settings.currency
        ) as cart_currency
    from in_carts
    cross join settings
),

told as (
    select
        named.*,
        case when coalesce(currency, cart_currency) = cart_currency then price end as told_price,
        count(*) filter (where price is not null and coalesce(currency, cart_currency) = cart_currency) over (
            partition by person_id, cart_place, product_id order by place
        ) as price_number
    from named
),

priced as (
    -- The last price of a product that the cart was told.
    select
        told.*,
        max(told_price) over (partition by person_id, cart_place, product_id, price_number) as last_price
    from told
),

worth as (
    select
        priced.*,
        quantity_held * coalesce(last_price, 0) - lag(quantity_held * coalesce(last_price, 0), 1, 0) over (
            partition by person_id, cart_place, product_id order by place
        ) as value_change
    from priced
),

turns as (
    -- In windows all along, and never joined with itself: the planner cannot know how many rows a step of this has.
    select
        worth.*,
        sum(value_change) over (partition by person_id, cart_place order by place) as value_held,
        min(event_timestamp) filter (where event_name in ('add_to_cart', 'purchase') or is_emptying) over (
            partition by person_id, cart_place order by place desc rows between unbounded preceding and 1 preceding
        ) as next_at
    from worth
),

courses as (
    -- It is left after the first add that neither another one nor a purchase follows in time.
    select
        turns.*,
        min(event_timestamp) filter (
            where event_name = 'add_to_cart' and (next_at is null or next_at > event_timestamp + settings.cart_left_after)
        ) over whole as left_at,
        max(event_timestamp) filter (where event_name = 'purchase') over whole as bought_at,
        max(event_timestamp) filter (where is_emptying) over whole as emptied_at
    from turns
    cross join settings
    window whole as (partition by person_id, cart_place)
),

outcomes as (
    -- An emptied cart is not abandoned, however late it was emptied.
    select
        courses.*,
        case when emptied_at is not null then 'emptied' when left_at is not null then 'abandoned' else 'bought' end
            as outcome,
        event_timestamp <= coalesce(emptied_at, left_at + settings.cart_left_after, bought_at) as is_before
    from courses
    cross join settings
),

lasts as (
    -- The last line of a product by the outcome is what the cart then has of it.
    select
        outcomes.*,
        is_before and product_id is not null and quantity_held > 0 and row_number() over (
            partition by person_id, cart_place, product_id, is_before order by place desc
        ) = 1 as is_held,
        min(place) over (partition by person_id, cart_place, product_id) as product_place
    from outcomes
),

carts as (
    select
        person_id,
        outcome,
        left_at,
        bought_at,
        emptied_at,
        cart_currency,
        max(visitor_id) filter (where place = cart_place) as visitor_id,
        (array_agg(session_key) filter (where place = cart_place))[1] as session_key,
        max(channel) filter (where place = cart_place) as channel,
        max(device_type) filter (where place = cart_place) as device_type,
        max(country) filter (where place = cart_place) as country,
        bool_or(is_bot) filter (where place = cart_place) as is_bot,
        bool_or(is_cut) as is_limit_reached,
        min(event_timestamp) as started_at,
        max(event_timestamp) filter (where event_name = 'add_to_cart') as last_add_at,
        max(event_timestamp) as last_event_at,
        min(event_timestamp) filter (where event_name = 'checkout') as checkout_at,
        (array_agg(event_name order by step desc) filter (
            where is_before and event_name not in ('remove_from_cart', 'purchase')
        ))[1] as deepest_step,
        coalesce(sum(quantity_held) filter (where is_held), 0)::bigint as pieces,
        coalesce(sum(quantity_held) filter (where is_held and last_price is null), 0)::bigint as unpriced_pieces,
        coalesce(sum(quantity_held * last_price) filter (where is_held), 0) as value,
        max(value_held) as largest_value,
        max(value_held) filter (where place = last_place) as last_value,
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'product_id', product_id, 'quantity', quantity_held, 'price', last_price
            ))
            order by product_place
        ) filter (where is_held) as lines,
        max(order_id) as order_id,
        max(revenue) as revenue,
        max(refunded) as refunded,
        max(order_currency) as order_currency
    from (
        select lasts.*, max(place) over (partition by person_id, cart_place) as last_place from lasts
    ) as placed
    group by person_id, cart_place, outcome, left_at, bought_at, emptied_at, cart_currency
),

final as (
    select
        md5(carts.person_id || '|' || (extract(epoch from carts.started_at) * 1000000)::bigint)::uuid as cart_key,
        carts.person_id,
        carts.visitor_id,
        carts.session_key,
        (
            case carts.outcome when 'abandoned' then carts.left_at else carts.last_add_at end
            at time zone settings.timezone
        )::date as local_date,
        carts.outcome,
        carts.started_at,
        carts.last_add_at,
        carts.last_event_at,
        carts.checkout_at,
        carts.left_at,
        carts.left_at + settings.cart_left_after as abandoned_at,
        case when carts.bought_at <= carts.left_at + settings.cart_recovery_window then carts.bought_at end as recovered_at,
        carts.bought_at,
        carts.emptied_at,
        carts.deepest_step,
        carts.pieces,
        carts.unpriced_pieces,
        exact_amount(carts.value) as value,
        exact_amount(carts.largest_value) as largest_value,
        exact_amount(carts.last_value) as last_value,
        carts.cart_currency as currency,
        carts.lines,
        carts.order_id,
        carts.revenue,
        carts.refunded,
        carts.order_currency,
        carts.channel,
        carts.device_type,
        carts.country,
        carts.is_bot,
        carts.is_limit_reached
    from carts
    cross join settings
)

select * from final
