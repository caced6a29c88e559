-- Every staged copy that is not the first of its event, and every event that had stood until an earlier copy came in late. Where
-- the first copy has expired, nobody can say any more that a copy does not differ.
with

losers as (
    select * from losing_copies
),

final as (
    select
        losers.event_id,
        losers.partition_hour,
        losers.object_key,
        losers.line_number,
        losers.received_at,
        losers.payload_hash,
        coalesce(losers.payload_hash <> standing.payload_hash, true) as payload_differs,
        losers.source_key,
        losers.agent_key,
        case when losers.event_name in ('page_view', 'view_product') then losers.page_host end as shop_host
    from losers
    left join clickstream_events as standing on standing.event_id = losers.event_id
)

select * from final
