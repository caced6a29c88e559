with

rebuild as (
    select local_date from rebuild_keys
),

settings as (
    select * from shop_settings
),

steps as (
    select step.number::integer as step, step.event_name
    from settings
    cross join lateral unnest(settings.funnel_steps) with ordinality as step (event_name, number)
),

events as (
    select
        fact_sessions.session_key,
        fact_sessions.local_date,
        fact_sessions.channel,
        fact_sessions.device_type,
        fact_sessions.country,
        fact_sessions.is_bot,
        clickstream_events.event_id,
        clickstream_events.event_name,
        clickstream_events.event_timestamp,
        clickstream_events.product_category,
        clickstream_events.order_items
    from rebuild
    inner join fact_sessions on fact_sessions.local_date = rebuild.local_date
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    where clickstream_events.event_name = any(settings.funnel_steps)
),

named as (
    select event_id, session_key, event_timestamp, product_category
    from events
    where product_category is not null
    union
    select events.event_id, events.session_key, events.event_timestamp, item.line ->> 'category' as product_category
    from events
    cross join lateral jsonb_array_elements(events.order_items) as item (line)
    where item.line ->> 'category' is not null
),

ranked as (
    select
        session_key, product_category,
        row_number() over (partition by session_key order by min(event_timestamp), product_category) as place
    from named
    group by session_key, product_category
),

categories as (
    -- The first hundred, so that a visitor who makes up names costs no more than one who does not.
    select session_key, product_category from ranked
    where place <= 100
),

relevant as (
    select named.product_category, named.event_id
    from named
    inner join categories
        on categories.session_key = named.session_key and categories.product_category = named.product_category
    union all
    -- A checkout that names no category is a step of each.
    select categories.product_category, events.event_id
    from events
    inner join categories on categories.session_key = events.session_key
    where not exists (select 1 from named where named.event_id = events.event_id)
),

depths as (
    select
        events.session_key, events.local_date, events.channel, events.device_type, events.country, events.is_bot,
        relevant.product_category,
        funnel_depth(
            events.event_name, settings.funnel_steps
            order by events.event_timestamp, array_position(settings.funnel_steps, events.event_name), events.event_id
        ) as depth
    from relevant
    inner join events on events.event_id = relevant.event_id
    cross join settings
    group by
        events.session_key, events.local_date, events.channel, events.device_type, events.country, events.is_bot,
        relevant.product_category
),

final as (
    select
        depths.local_date,
        depths.product_category,
        steps.step,
        steps.event_name,
        depths.channel,
        coalesce(depths.device_type, '(none)') as device_type,
        coalesce(depths.country, '(none)') as country,
        depths.is_bot,
        count(*) filter (where depths.depth >= steps.step) as sessions
    from depths
    cross join steps
    group by
        depths.local_date, depths.product_category, steps.step, steps.event_name, depths.channel,
        coalesce(depths.device_type, '(none)'), coalesce(depths.country, '(none)'), depths.is_bot
)

select * from final
