-- Of every event that was staged, the copy received first, where it comes before the copy that already stands (which the
-- loader has then moved out of the way). Object key, line and payload settle ties, so that the order of loading never does.
with

copies as (
    select * from staged_events
),

ranked as (
    select
        copies.*,
        row_number() over (
            partition by event_id order by received_at, object_key, line_number, payload_hash
        ) as place
    from copies
),

final as (
    select ranked.* from ranked
    where place = 1
        and not exists (
            select 1 from clickstream_events as standing
            where standing.event_id = ranked.event_id
                and (standing.received_at, standing.object_key, standing.line_number, standing.payload_hash)
                <= (ranked.received_at, ranked.object_key, ranked.line_number, ranked.payload_hash)
        )
)

select * from final
