-- The touches that led to no order, as journeys: what a Markov chain calls its null paths.
with

rebuild as (
    select person_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

orders as (
    select
        fact_order_touches.person_id, fact_order_touches.is_bot, fact_order_touches.ordered_at,
        fact_order_touches.order_session_key
    from rebuild
    inner join fact_order_touches on fact_order_touches.person_id = rebuild.person_id
    where fact_order_touches.path is not null
),

timeline as (
    select
        fact_touches.person_id, fact_touches.is_bot, fact_touches.started_at as happened_at, fact_touches.session_key,
        fact_touches.local_date, fact_touches.channel, null::timestamptz as ordered_at
    from rebuild
    inner join fact_touches on fact_touches.person_id = rebuild.person_id
    where fact_touches.is_visit
    union all
    select person_id, is_bot, ordered_at, null, null, null, ordered_at from orders
),

followed as (
    -- Backwards in time the latest order seen is the next one; one at the time of a touch follows it.
    select
        timeline.*,
        min(ordered_at) over (
            partition by person_id, is_bot order by happened_at desc, ordered_at is null
            rows between unbounded preceding and current row
        ) as next_ordered_at
    from timeline
),

lost as (
    select followed.*
    from followed
    cross join settings
    where followed.session_key is not null
        and coalesce(followed.next_ordered_at > followed.happened_at + settings.attribution_window, true)
        and followed.session_key not in (select order_session_key from orders)
),

marked as (
    select
        lost.*,
        coalesce(happened_at - lag(happened_at) over by_time > settings.attribution_window, true) as is_start,
        lag(channel) over by_time is distinct from channel as is_turn
    from lost
    cross join settings
    window by_time as (partition by person_id, is_bot order by happened_at, session_key)
),

counted as (
    select
        marked.*,
        count(*) filter (where is_start) over (
            partition by person_id, is_bot order by happened_at, session_key
            rows between unbounded preceding and current row
        ) as journey_number
    from marked
),

grouped as (
    select
        person_id, is_bot,
        min(happened_at) as started_at,
        max(happened_at) as last_touch_at,
        (array_agg(local_date order by happened_at desc, session_key desc))[1] as local_date,
        count(*)::integer as touch_count,
        array_agg(channel order by happened_at, session_key) filter (where is_start or is_turn) as channels
    from counted
    group by person_id, is_bot, journey_number
),

final as (
    select
        person_id,
        is_bot,
        started_at,
        last_touch_at,
        local_date,
        touch_count,
        channels[greatest(cardinality(channels) - 20, 0) + 1:cardinality(channels)] as path
    from grouped
)

select * from final
