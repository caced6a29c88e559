with

rebuild as (
    select session_key from rebuild_keys
),

settings as (
    select * from shop_settings
),

events as (
    select
        fact_sessions.session_key,
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        fact_sessions.is_bot,
        clickstream_events.event_id,
        clickstream_events.event_name,
        clickstream_events.event_timestamp,
        array_remove(
            case
                when coalesce(clickstream_events.order_items, clickstream_events.items) is null
                    then array[clickstream_events.product_category]
                else array(
                    select item.line ->> 'category'
                    from jsonb_array_elements(
                        coalesce(clickstream_events.order_items, '[]') || coalesce(clickstream_events.items, '[]')
                    ) as item (line)
                ) || clickstream_events.product_category
            end,
            null
        ) as categories
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
    cross join settings
    where clickstream_events.event_name = any(settings.funnel_steps)
),

named as (
    select
        events.session_key, category.name,
        row_number() over (
            partition by events.session_key order by min(events.event_timestamp), category.name
        ) as place
    from events
    cross join lateral unnest(events.categories) as category (name)
    group by events.session_key, category.name
),

interests as (
    -- The first hundred, so that a visitor who makes up names costs no more than one who does not.
    select session_key, array_agg(name) as categories from named
    where place <= 100
    group by session_key
),

relevant as (
    -- A checkout that names no category is a step of each that the session names.
    select events.*, category.name as product_category
    from events
    inner join interests on interests.session_key = events.session_key
    cross join lateral unnest(
        case when events.categories = '{}' then interests.categories else events.categories end
    ) as category (name)
    where category.name = any(interests.categories)
),

final as (
    select
        relevant.session_key, relevant.product_category, relevant.local_date, relevant.channel, relevant.device_type,
        relevant.country, relevant.is_bot,
        funnel_depth(
            relevant.event_name, settings.funnel_steps
            order by
                relevant.event_timestamp, array_position(settings.funnel_steps, relevant.event_name), relevant.event_id
        ) as depth
    from relevant
    cross join settings
    group by
        relevant.session_key, relevant.product_category, relevant.local_date, relevant.channel, relevant.device_type,
        relevant.country, relevant.is_bot
)

select * from final
