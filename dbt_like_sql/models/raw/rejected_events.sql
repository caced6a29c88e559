with

final as (
    select partition_hour, object_key, line_number, content_hash, received_at, code, message, body, body_encoding,
        body_bytes, body_sha256
    from staged_rejects
)

select * from final
