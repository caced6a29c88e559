with

rebuild as (
    select visitor_id, span from rebuild_spans
),

settings as (
    select * from shop_settings
),

events as (
    select
        clickstream_events.*,
        event_name in ('page_view', 'view_product') as is_page,
        dim_source.channel,
        dim_source.source,
        dim_source.medium,
        dim_source.campaign,
        dim_source.is_tagged,
        coalesce(clickstream_events.device_type, dim_user_agent.device_type) as device_kind,
        dim_user_agent.browser,
        dim_user_agent.operating_system,
        -- What a program that no list knows sends besides views, as a purchase, a shop's own server sends too: it must not take
        -- a person's order out of the numbers.
        clickstream_events.is_automated
        or coalesce(
            dim_user_agent.kind = 'bot'
            or (dim_user_agent.kind = 'program' and event_name in ('page_view', 'view_product')), false
        ) as is_bot
    from rebuild
    inner join clickstream_events
        on clickstream_events.visitor_id = rebuild.visitor_id
        and clickstream_events.event_timestamp between lower(rebuild.span) and upper(rebuild.span)
    left join dim_source on dim_source.source_key = clickstream_events.source_key
    left join dim_user_agent on dim_user_agent.agent_key = clickstream_events.agent_key
),

marked as (
    select
        events.*,
        coalesce(event_timestamp - lag(event_timestamp) over by_time > settings.session_gap, true) as is_start
    from events
    cross join settings
    window by_time as (partition by visitor_id order by event_timestamp, event_id)
),

numbered as (
    select marked.*, count(*) filter (where is_start) over by_time as session_number
    from marked
    window by_time as (
        partition by visitor_id order by event_timestamp, event_id rows between unbounded preceding and current row
    )
),

grouped as (
    select
        visitor_id,
        min(event_timestamp) as started_at,
        max(event_timestamp) as ended_at,
        (array_agg(user_id order by event_timestamp desc, event_id desc) filter (where user_id is not null))[1] as user_id,
        count(*)::integer as event_count,
        count(*) filter (where event_name = 'page_view')::integer as page_view_count,
        count(*) filter (where event_name = 'view_product')::integer as product_view_count,
        count(*) filter (where event_name = 'search')::integer as search_count,
        count(*) filter (where event_name = 'click')::integer as click_count,
        count(*) filter (where event_name = 'add_to_cart')::integer as add_to_cart_count,
        count(*) filter (where event_name = 'checkout')::integer as checkout_count,
        count(*) filter (where event_name = 'purchase')::integer as purchase_count,
        array_agg(distinct order_key) filter (where event_name = 'purchase') as order_keys,
        coalesce(min(user_id) <> max(user_id), false) as is_shared,
        funnel_times(
            event_name, event_timestamp, settings.funnel_steps
            order by event_timestamp, array_position(settings.funnel_steps, event_name), event_id
        ) filter (where event_name = any(settings.funnel_steps)) as step_times,
        (array_agg(page_path order by event_timestamp, event_id) filter (where page_path is not null))[1]
            as entry_path,
        (array_agg(page_path order by event_timestamp desc, event_id desc) filter (where page_path is not null))[1]
            as exit_path,
        -- A referrer counts where the session begins. Later on it is a bank, a sign-in or a mail that the visitor comes back
        -- from, and only tags tell of another campaign.
        min(event_timestamp) filter (where page_path is not null) as landed_at,
        min(event_timestamp) filter (where channel is not null and not is_tagged) as referred_at,
        min(event_timestamp) filter (where channel is not null and is_tagged) as tagged_at,
        array_agg(array[channel, source, medium, campaign] order by event_timestamp, event_id)
            filter (where channel is not null and not is_tagged) as referred,
        array_agg(array[channel, source, medium, campaign] order by event_timestamp, event_id)
            filter (where channel is not null and is_tagged) as tagged,
        (array_agg(device_kind order by event_timestamp, event_id) filter (where device_kind is not null))[1]
            as device_type,
        array_agg(array[browser, operating_system] order by event_timestamp, event_id)
            filter (where browser is not null or operating_system is not null) as software,
        (array_agg(country order by event_timestamp, event_id) filter (where country is not null))[1] as country,
        bool_or(is_bot) as is_bot
    from numbered
    cross join settings
    group by visitor_id, session_number
),

sourced as (
    select
        grouped.*,
        case when referred_at = landed_at and tagged_at is distinct from landed_at then referred else tagged end as origins
    from grouped
),

final as (
    select
        md5(visitor_id || '|' || (extract(epoch from started_at) * 1000000)::bigint)::uuid as session_key,
        visitor_id,
        user_id,
        started_at,
        ended_at,
        (started_at at time zone settings.timezone)::date as local_date,
        (ended_at at time zone settings.timezone)::date as last_local_date,
        event_count,
        page_view_count,
        product_view_count,
        search_count,
        click_count,
        add_to_cart_count,
        checkout_count,
        purchase_count,
        case when order_keys is null then 0 else (
            -- Those that are placed here, by the index: a bounded number of steps for each, however many events name it.
            select count(*)::integer from unnest(sourced.order_keys) as named (order_key)
            cross join lateral first_purchase(named.order_key) as first
            where first.visitor_id = sourced.visitor_id
                and first.event_timestamp between sourced.started_at and sourced.ended_at
        ) end as order_count,
        coalesce(cardinality(step_times), 0) as funnel_step,
        page_view_count + product_view_count <= 1
        and add_to_cart_count + checkout_count + purchase_count + search_count + click_count = 0 as is_bounce,
        page_view_count + product_view_count >= 2
        or ended_at - started_at >= interval '10 seconds'
        or add_to_cart_count + checkout_count + purchase_count > 0 as is_engaged,
        not exists (
            select 1 from clickstream_events as earlier
            where earlier.visitor_id = sourced.visitor_id and earlier.event_timestamp < sourced.started_at
        ) as is_new_visitor,
        entry_path,
        exit_path,
        coalesce(origins[1][1], 'direct') as channel,
        origins[1][2] as source,
        origins[1][3] as medium,
        origins[1][4] as campaign,
        device_type,
        country,
        -- A person neither stays for a day without a pause nor opens a hundred pages in a minute, whatever the agent says. Only
        -- sessions of so many pages are looked at; and who views none for a day is a shop's own system, which reports orders
        -- under one id: it must not take them out of the numbers.
        is_bot
        or (page_view_count + product_view_count > 0 and ended_at - started_at > interval '24 hours')
        or (page_view_count + product_view_count >= 100 and exists (
            select 1
            from (
                select event_timestamp - lag(event_timestamp, 99) over (order by event_timestamp) as taken
                from clickstream_events as pages
                where pages.visitor_id = sourced.visitor_id
                    and pages.event_timestamp between sourced.started_at and sourced.ended_at
                    and pages.event_name in ('page_view', 'view_product')
            ) as hundreds
            where taken <= interval '1 minute'
        )) as is_bot,
        case when cardinality(step_times) = cardinality(settings.funnel_steps)
            then floor(extract(epoch from step_times[cardinality(step_times)] - step_times[1]))::integer
        end as funnel_seconds,
        software[1][1] as browser,
        software[1][2] as operating_system,
        is_shared
    from sourced
    cross join settings
)

select * from final
