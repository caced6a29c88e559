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
        fact_sessions.visitor_id,
        fact_sessions.local_date,
        fact_sessions.channel,
        coalesce(fact_sessions.device_type, '(none)') as device_type,
        coalesce(fact_sessions.country, '(none)') as country,
        fact_sessions.is_bot,
        clickstream_events.event_id,
        clickstream_events.event_name,
        clickstream_events.event_timestamp,
        clickstream_events.page_path,
        -- A line for each category that the event names: of its own product, or of its items.
        case
            when coalesce(clickstream_events.order_items, clickstream_events.items) is null
                then translate(clickstream_events.product_category, E'\n', ' ')
            else nullif(concat_ws(E'\n', translate(clickstream_events.product_category, E'\n', ' '), (
                select string_agg(distinct translate(item.line ->> 'category', E'\n', ' '), E'\n')
                from jsonb_array_elements(
                    coalesce(clickstream_events.order_items, '[]') || coalesce(clickstream_events.items, '[]')
                ) as item (line)
            )), '')
        end as categories
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
),

placed as (
    select
        events.*,
        row_number() over (partition by session_key, event_name order by event_timestamp, event_id) as place
    from events
),

final as (
    select
        placed.session_key,
        placed.event_name,
        placed.visitor_id,
        placed.local_date,
        placed.channel,
        placed.device_type,
        placed.country,
        placed.is_bot,
        min(placed.event_timestamp) as first_at,
        max(placed.event_timestamp) filter (where place <= settings.step_events_limit) as last_at,
        array_agg(placed.event_timestamp order by place) filter (where place <= settings.step_events_limit) as times,
        array_agg(placed.page_path order by place) filter (where place <= settings.step_events_limit) as pages,
        array_agg(placed.categories order by place) filter (where place <= settings.step_events_limit) as categories,
        count(*) > settings.step_events_limit as is_limit_reached
    from placed
    cross join settings
    group by
        placed.session_key, placed.event_name, placed.visitor_id, placed.local_date, placed.channel, placed.device_type,
        placed.country, placed.is_bot, settings.step_events_limit
)

select * from final
