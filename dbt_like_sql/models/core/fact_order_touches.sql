-- Sessions as touches before an order, and what each model credits them with. docs/metrics.md tells the rules, with examples.
with

rebuild as (
    select order_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

orders as (
    -- Each with its own session. By index, order by order: the planner takes the touches of one person for many.
    select
        fact_orders.*,
        fact_orders.revenue - fact_orders.refunded as net,
        coalesce(own.person_id, fact_orders.visitor_id) as person_id,
        coalesce(own.started_at, fact_orders.ordered_at) as began_at,
        coalesce(own.is_visit, false) as is_visit
    from rebuild
    inner join fact_orders on fact_orders.order_id = rebuild.order_id
    left join lateral (
        select person_id, started_at, is_visit from fact_touches
        where fact_touches.session_key = fact_orders.session_key
        limit 1
    ) as own on true
),

visits as (
    select
        orders.order_id, false as is_own, visit.session_key, visit.started_at,
        visit.channel, visit.source, visit.medium, visit.campaign
    from orders
    cross join settings
    cross join lateral (
        select session_key, started_at, channel, source, medium, campaign
        from fact_touches
        where fact_touches.person_id = orders.person_id
            and fact_touches.is_bot = orders.is_bot
            and fact_touches.is_visit
            and fact_touches.started_at between orders.ordered_at - settings.attribution_window and orders.ordered_at
            and fact_touches.session_key <> orders.session_key
        order by fact_touches.started_at desc, fact_touches.session_key desc
        limit settings.touches_limit - 1
    ) as visit
),

touches as (
    select * from visits
    union all
    -- An order always has a touch: with no visit before it, the session that reported it.
    select order_id, true, session_key, began_at, channel, source, medium, campaign
    from orders
    where is_visit or order_id not in (select order_id from visits)
),

numbered as (
    select
        touches.*,
        row_number() over (partition by order_id order by is_own, started_at, session_key)::integer as place,
        count(*) over (partition by order_id)::integer as touch_count,
        max(started_at) over (partition by order_id) as newest_at
    from touches
),

weighed as (
    -- Whole numbers, so that shares of them are exact.
    select
        numbered.*,
        place = coalesce(max(place) filter (where channel <> 'direct') over (partition by order_id), touch_count)
            as is_last_non_direct,
        case when touch_count > 2 and place in (1, touch_count) then 2 * (touch_count - 2) else 1 end as position_weight,
        round(
            power(
                2::numeric,
                -extract(epoch from newest_at - started_at) / extract(epoch from settings.attribution_half_life)
            ) * 1000000000000
        ) as time_decay_weight
    from numbered
    cross join settings
),

wholes as (
    -- What there is to share, in the smallest unit: a millionth of the order, a cent (or what the amount has beyond it).
    select
        orders.order_id, whole.measure, whole.unit, whole.amount * whole.unit as units
    from orders
    cross join lateral (
        values ('orders', 1000000::numeric, 1::numeric), ('revenue', power(10::numeric, greatest(min_scale(net), 2)), net)
    ) as whole (measure, unit, amount)
),

parts as (
    select
        weighed.order_id, weighed.place, wholes.measure, wholes.unit, wholes.units, model.name,
        wholes.units * model.weight as claim,
        sum(model.weight) over (partition by weighed.order_id, wholes.measure, model.name) as whole_weight
    from weighed
    inner join wholes on wholes.order_id = weighed.order_id
    cross join lateral (
        values ('linear', 1::numeric), ('position', position_weight::numeric), ('time_decay', time_decay_weight)
    ) as model (name, weight)
),

rounded as (
    select parts.*, div(claim, whole_weight) as units_down, mod(claim, whole_weight) as remainder from parts
),

shared as (
    -- The units that rounding down leaves go one by one to the largest remainders, of equal ones to the earlier touch.
    select
        order_id, place, measure, name,
        exact_amount((
            units_down + case
                when row_number() over (partition by order_id, measure, name order by remainder desc, place)
                    <= units - sum(units_down) over (partition by order_id, measure, name) then 1
                else 0
            end
        ) / unit) as credit
    from rounded
),

credits as (
    select
        order_id, place,
        max(credit) filter (where name = 'linear' and measure = 'orders') as linear_orders,
        max(credit) filter (where name = 'linear' and measure = 'revenue') as linear_revenue,
        max(credit) filter (where name = 'position' and measure = 'orders') as position_orders,
        max(credit) filter (where name = 'position' and measure = 'revenue') as position_revenue,
        max(credit) filter (where name = 'time_decay' and measure = 'orders') as time_decay_orders,
        max(credit) filter (where name = 'time_decay' and measure = 'revenue') as time_decay_revenue
    from shared
    group by order_id, place
),

turns as (
    select order_id, place, channel,
        lag(channel) over (partition by order_id order by place) is distinct from channel as is_turn
    from numbered
),

paths as (
    select order_id, array_agg(channel order by place) as channels
    from turns
    where is_turn
    group by order_id
),

final as (
    select
        weighed.order_id,
        weighed.place as position,
        weighed.touch_count,
        weighed.session_key,
        orders.person_id,
        orders.session_key as order_session_key,
        orders.ordered_at,
        orders.local_date,
        weighed.started_at,
        weighed.channel,
        weighed.source,
        weighed.medium,
        weighed.campaign,
        orders.currency,
        orders.is_bot,
        case when weighed.place = 1 then 1.00 else 0.00 end as first_orders,
        exact_amount(case when weighed.place = 1 then orders.net else 0 end) as first_revenue,
        case when weighed.place = touch_count then 1.00 else 0.00 end as last_orders,
        exact_amount(case when weighed.place = touch_count then orders.net else 0 end) as last_revenue,
        case when is_last_non_direct then 1.00 else 0.00 end as last_non_direct_orders,
        exact_amount(case when is_last_non_direct then orders.net else 0 end) as last_non_direct_revenue,
        credits.linear_orders,
        credits.linear_revenue,
        credits.position_orders,
        credits.position_revenue,
        credits.time_decay_orders,
        credits.time_decay_revenue,
        case when weighed.place = touch_count
            then paths.channels[greatest(cardinality(paths.channels) - 20, 0) + 1:cardinality(paths.channels)]
        end as path
    from weighed
    inner join orders on orders.order_id = weighed.order_id
    inner join credits on credits.order_id = weighed.order_id and credits.place = weighed.place
    inner join paths on paths.order_id = weighed.order_id
)

select * from final
