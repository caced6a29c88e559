with

rebuild as (
    select person_id from rebuild_keys
),

browsers as (
    select dim_visitor.* from rebuild
    inner join dim_visitor on dim_visitor.person_id = rebuild.person_id
),

ways as (
    select browsers.person_id, array_agg(distinct way.channel order by way.channel) as channels
    from browsers
    cross join lateral unnest(browsers.channels) as way (channel)
    group by browsers.person_id
),

people as (
    select
        person_id,
        count(*)::integer as browser_count,
        min(first_seen_at) as first_seen_at,
        sum(visit_count)::integer as visit_count,
        max(last_visit_at) as last_visit_at,
        (array_agg(first_channel order by first_seen_at, visitor_id))[1] as channel,
        (array_agg(first_device_type order by first_seen_at, visitor_id))[1] as device_type,
        (array_agg(first_country order by first_seen_at, visitor_id))[1] as country
    from browsers
    group by person_id
),

final as (
    select
        people.person_id,
        people.browser_count,
        people.first_seen_at,
        people.visit_count,
        people.last_visit_at,
        people.channel,
        coalesce(people.device_type, '(none)') as device_type,
        coalesce(people.country, '(none)') as country,
        coalesce(ways.channels, '{}') as channels,
        people.visit_count = 0 as is_bot
    from people
    left join ways on ways.person_id = people.person_id
)

select * from final
