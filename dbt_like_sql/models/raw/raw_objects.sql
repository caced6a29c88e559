with

final as (
    select
        object_key, content_hash, etag, size_bytes, partition_hour, line_count, event_count, rejected_count,
        now() as loaded_at, erased_count, 0 as expired_count
    from staged_objects
)

select * from final
