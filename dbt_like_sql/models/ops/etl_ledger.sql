-- Each number is counted on its own, from its own table, so that the difference is a check and not an identity.
with

rebuild as (
    select partition_hour from rebuild_keys
),

-- The events of test visits are no part of the books; counted here, they must be among the lines received.
canaries as (
    select rejected_events.partition_hour, count(*) as events
    from rebuild
    inner join rejected_events on rejected_events.partition_hour = rebuild.partition_hour
    where rejected_events.code = 'canary'
    group by rejected_events.partition_hour
),

received as (
    select raw_objects.partition_hour, count(*) as objects, sum(raw_objects.line_count) as events, sum(raw_objects.erased_count) as erased,
        sum(raw_objects.expired_count) as expired
    from rebuild
    inner join raw_objects on raw_objects.partition_hour = rebuild.partition_hour
    group by raw_objects.partition_hour
),

loaded as (
    select
        clickstream_events.partition_hour,
        count(*) as events,
        count(*) filter (
            where clickstream_events.received_at > clickstream_events.event_timestamp + interval '1 hour'
        ) as late,
        count(*) filter (where starts_with(clickstream_events.object_key, 'rejected/')) as replayed
    from rebuild
    inner join clickstream_events on clickstream_events.partition_hour = rebuild.partition_hour
    group by clickstream_events.partition_hour
),

noted as (
    select
        clickstream_events.partition_hour, clickstream_events.event_id, warning.one ->> 'code' as code
    from rebuild
    inner join clickstream_events on clickstream_events.partition_hour = rebuild.partition_hour
    cross join lateral jsonb_array_elements(clickstream_events.warnings) as warning (one)
    where clickstream_events.warnings is not null
),

warned as (
    select partition_hour, count(distinct event_id) as events from noted group by partition_hour
),

warnings as (
    select partition_hour, jsonb_object_agg(code, events) as by_code
    from (
        select partition_hour, code, count(distinct event_id) as events from noted group by partition_hour, code
    ) as counted
    group by partition_hour
),

duplicates as (
    select
        duplicate_events.partition_hour,
        count(*) as events,
        count(*) filter (where starts_with(duplicate_events.object_key, 'rejected/')) as replayed
    from rebuild
    inner join duplicate_events on duplicate_events.partition_hour = rebuild.partition_hour
    group by duplicate_events.partition_hour
),

rejects as (
    select rejected_events.partition_hour, rejected_events.code, count(*) as events
    from rebuild
    inner join rejected_events on rejected_events.partition_hour = rebuild.partition_hour
    where rejected_events.code <> 'canary'
    group by rejected_events.partition_hour, rejected_events.code
),

rejected as (
    select partition_hour, sum(events) as events, jsonb_object_agg(code, events) as by_code
    from rejects
    group by partition_hour
),

final as (
    select
        rebuild.partition_hour,
        coalesce(received.objects, 0)::integer as objects,
        (coalesce(received.events, 0) - coalesce(canaries.events, 0))::integer as received,
        coalesce(loaded.events, 0)::integer as loaded,
        coalesce(duplicates.events, 0)::integer as duplicate,
        coalesce(rejected.events, 0)::integer as rejected,
        coalesce(rejected.by_code, '{}') as rejected_by_code,
        coalesce(loaded.late, 0)::integer as late,
        (
            coalesce(received.events, 0) - coalesce(canaries.events, 0) - coalesce(loaded.events, 0)
            - coalesce(duplicates.events, 0) - coalesce(rejected.events, 0) - coalesce(received.erased, 0)
            - coalesce(received.expired, 0)
        )::integer as difference,
        coalesce(warned.events, 0)::integer as warned,
        coalesce(warnings.by_code, '{}') as warnings_by_code,
        coalesce(received.erased, 0)::integer as erased,
        (coalesce(loaded.replayed, 0) + coalesce(duplicates.replayed, 0))::integer as replayed,
        coalesce(canaries.events, 0)::integer as canary,
        coalesce(received.expired, 0)::integer as expired
    from rebuild
    left join canaries on canaries.partition_hour = rebuild.partition_hour
    left join received on received.partition_hour = rebuild.partition_hour
    left join loaded on loaded.partition_hour = rebuild.partition_hour
    left join duplicates on duplicates.partition_hour = rebuild.partition_hour
    left join rejected on rejected.partition_hour = rebuild.partition_hour
    left join warned on warned.partition_hour = rebuild.partition_hour
    left join warnings on warnings.partition_hour = rebuild.partition_hour
)

select * from final
