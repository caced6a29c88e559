with

rebuild as (
    select session_key from rebuild_keys
),

shown as (
    select 6 as length
),

events as (
    select
        fact_sessions.session_key, fact_sessions.local_date, fact_sessions.channel, fact_sessions.device_type,
        fact_sessions.country, fact_sessions.is_bot, clickstream_events.event_name, clickstream_events.event_timestamp,
        clickstream_events.event_id, btrim(clickstream_events.page_path, '/') as path,
        -- What happens at one time happens in this order.
        array_position(
            array['page_view', 'search', 'view_product', 'add_to_cart', 'checkout', 'purchase'],
            clickstream_events.event_name
        ) as place
    from rebuild
    inner join fact_sessions on fact_sessions.session_key = rebuild.session_key
    inner join clickstream_events
        on clickstream_events.visitor_id = fact_sessions.visitor_id
        and clickstream_events.event_timestamp between fact_sessions.started_at and fact_sessions.ended_at
),

named as (
    select
        events.*,
        case
            when event_name <> 'page_view' then event_name
            else left('/' || split_part(path, '/', 1) || case when strpos(path, '/') > 0 then '/*' else '' end, 100)
        end as node
    from events
    where place is not null
),

followed as (
    select
        named.*,
        -- A view of the page on which the next step happens says less than that step: /checkout, then checkout.
        coalesce(
            event_name = 'page_view'
            and lead(event_name) over visit <> 'page_view'
            and lead(path) over visit = path,
            false
        ) as is_page_of_next
    from named
    where node is not null
    window visit as (partition by session_key order by event_timestamp, place, event_id)
),

moves as (
    select
        followed.*,
        lag(node) over (partition by session_key order by event_timestamp, place, event_id) is distinct from node as is_move
    from followed
    where not is_page_of_next
),

trails as (
    select
        session_key, local_date, channel, device_type, country, is_bot,
        array_agg(node order by event_timestamp, place, event_id) as nodes
    from moves
    where is_move
    group by session_key, local_date, channel, device_type, country, is_bot
),

ended as (
    select
        trails.*,
        array_position(nodes, 'purchase') is not null as has_purchase,
        case
            when array_position(nodes, 'purchase') is null then nodes || 'exit'::text
            else nodes[1:array_position(nodes, 'purchase')]
        end as ending
    from trails
),

final as (
    select
        session_key,
        local_date,
        channel,
        coalesce(device_type, '(none)') as device_type,
        coalesce(country, '(none)') as country,
        is_bot,
        (nodes || 'exit'::text)[1:shown.length] as first_steps,
        ending[greatest(cardinality(ending) - shown.length, 0) + 1:cardinality(ending)] as last_steps,
        has_purchase
    from ended
    cross join shown
)

select * from final
