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

valued as materialized (
    select
        worth.*,
        sum(value_change) over (partition by person_id, cart_place order by place) as value_held
    from worth
),

turns as (
    select
        person_id, cart_place, event_name, event_timestamp,
        lead(event_timestamp) over (partition by person_id, cart_place order by place) as next_at
    from valued
    where event_name in ('add_to_cart', 'purchase') or is_emptying
),

leavings as (
    -- The first add that neither another one nor a purchase follows in time.
    select turns.person_id, turns.cart_place, min(turns.event_timestamp) as left_at
    from turns
    cross join settings
    where turns.event_name = 'add_to_cart'
        and (turns.next_at is null or turns.next_at > turns.event_timestamp + settings.cart_left_after)
    group by turns.person_id, turns.cart_place
),

courses as (
    select
        person_id,
        cart_place,
        min(event_timestamp) as started_at,
        max(event_timestamp) filter (where event_name = 'add_to_cart') as last_add_at,
        max(event_timestamp) as last_event_at,
        min(event_timestamp) filter (where event_name = 'checkout') as checkout_at,
        max(event_timestamp) filter (where event_name = 'purchase') as bought_at,
        max(event_timestamp) filter (where is_emptying) as emptied_at,
        max(value_held) as largest_value,
        (array_agg(value_held order by place desc))[1] as last_value
    from valued
    group by person_id, cart_place
),

ends as (
    select courses.*, leavings.left_at, leavings.left_at + settings.cart_left_after as abandoned_at
    from courses
    cross join settings
    left join leavings on leavings.person_id = courses.person_id and leavings.cart_place = courses.cart_place
),

outcomes as materialized (
    -- An emptied cart is not abandoned, however late it was emptied.
    select
        ends.*,
        case
            when emptied_at is not null then 'emptied'
            when abandoned_at is not null then 'abandoned'
            else 'bought'
        end as outcome,
        coalesce(emptied_at, abandoned_at, bought_at) as outcome_at
    from ends
),

before as (
    select valued.*
    from valued
    inner join outcomes on outcomes.person_id = valued.person_id and outcomes.cart_place = valued.cart_place
    where valued.event_timestamp <= outcomes.outcome_at
),

contents as (
    select distinct on (person_id, cart_place, product_id)
        person_id, cart_place, product_id, quantity_held, last_price,
        min(place) over (partition by person_id, cart_place, product_id) as first_place
    from before
    where product_id is not null
    order by person_id, cart_place, product_id, place desc
),

held_at_outcome as (
    select
        person_id,
        cart_place,
        sum(quantity_held) as pieces,
        sum(quantity_held) filter (where last_price is null) as unpriced_pieces,
        sum(quantity_held * last_price) as value,
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'product_id', product_id, 'quantity', quantity_held, 'price', last_price
            ))
            order by first_place
        ) as lines
    from contents
    where quantity_held > 0
    group by person_id, cart_place
),

reached as (
    select person_id, cart_place, (array_agg(event_name order by step desc))[1] as deepest_step
    from before
    where event_name not in ('remove_from_cart', 'purchase')
    group by person_id, cart_place
),

firsts as (
    select * from valued where place = cart_place
),

orders as (
    select * from valued where event_name = 'purchase'
),

final as (
    select
        md5(outcomes.person_id || '|' || (extract(epoch from outcomes.started_at) * 1000000)::bigint)::uuid as cart_key,
        outcomes.person_id,
        firsts.visitor_id,
        firsts.session_key,
        (
            case outcomes.outcome when 'abandoned' then outcomes.left_at else outcomes.last_add_at end
            at time zone settings.timezone
        )::date as local_date,
        outcomes.outcome,
        outcomes.started_at,
        outcomes.last_add_at,
        outcomes.last_event_at,
        outcomes.checkout_at,
        outcomes.left_at,
        outcomes.abandoned_at,
        case when outcomes.bought_at <= outcomes.left_at + settings.cart_recovery_window then outcomes.bought_at end
            as recovered_at,
        outcomes.bought_at,
        outcomes.emptied_at,
        reached.deepest_step,
        coalesce(held_at_outcome.pieces, 0)::bigint as pieces,
        coalesce(held_at_outcome.unpriced_pieces, 0)::bigint as unpriced_pieces,
        exact_amount(coalesce(held_at_outcome.value, 0)) as value,
        exact_amount(outcomes.largest_value) as largest_value,
        exact_amount(outcomes.last_value) as last_value,
        firsts.cart_currency as currency,
        held_at_outcome.lines,
        orders.order_id,
        orders.revenue,
        orders.refunded,
        orders.order_currency,
        firsts.channel,
        firsts.device_type,
        firsts.country,
        firsts.is_bot,
        firsts.is_cut as is_limit_reached
    from outcomes
    cross join settings
    inner join firsts on firsts.person_id = outcomes.person_id and firsts.cart_place = outcomes.cart_place
    inner join reached on reached.person_id = outcomes.person_id and reached.cart_place = outcomes.cart_place
    left join held_at_outcome
        on held_at_outcome.person_id = outcomes.person_id and held_at_outcome.cart_place = outcomes.cart_place
    left join orders on orders.person_id = outcomes.person_id and orders.cart_place = outcomes.cart_place
)

select * from final
