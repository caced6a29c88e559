with

rebuild as (
    select visitor_id from rebuild_keys
),

sessions as (
    select fact_sessions.* from rebuild
    inner join fact_sessions on fact_sessions.visitor_id = rebuild.visitor_id
),

final as (
    select
        visitor_id,
        -- A browser of two users is neither's: which of them its anonymous sessions were, nobody knows.
        case when min(user_id) = max(user_id) and not bool_or(is_shared) then min(user_id) else visitor_id end as person_id,
        (array_agg(user_id order by started_at desc) filter (where user_id is not null))[1] as user_id,
        min(started_at) as first_seen_at,
        max(ended_at) as last_seen_at,
        (array_agg(channel order by started_at))[1] as first_channel,
        count(*)::integer as session_count,
        sum(order_count)::bigint as order_count,
        bool_or(is_bot) as is_bot,
        (array_agg(device_type order by started_at))[1] as first_device_type,
        (array_agg(country order by started_at))[1] as first_country,
        count(*) filter (where not is_bot)::integer as visit_count,
        max(ended_at) filter (where not is_bot) as last_visit_at,
        coalesce(array_agg(distinct channel order by channel) filter (where not is_bot), '{}') as channels
    from sessions
    group by visitor_id
)

select * from final
