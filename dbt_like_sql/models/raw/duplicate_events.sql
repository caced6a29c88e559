-- Every staged copy that did not win, and every event that had stood until an earlier copy came in late.
with

copies as (
    select * from staged_events
),

displaced as (
    select * from displaced_events
),

losers as (
    select event_id, partition_hour, object_key, line_number, received_at, payload_hash from copies
    where not exists (
        select 1 from winning_events as won
        where won.event_id = copies.event_id and won.object_key = copies.object_key
            and won.line_number = copies.line_number and won.payload_hash = copies.payload_hash
    )
    union all
    select event_id, partition_hour, object_key, line_number, received_at, payload_hash from displaced
),

final as (
    select
        losers.event_id,
        losers.partition_hour,
        losers.object_key,
        losers.line_number,
        losers.received_at,
        losers.payload_hash,
        losers.payload_hash <> standing.payload_hash as payload_differs
    from losers
    inner join clickstream_events as standing on standing.event_id = losers.event_id
)

select * from final
