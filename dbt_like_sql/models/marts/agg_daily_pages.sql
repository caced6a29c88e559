with

rebuild as (
    select local_date from rebuild_keys
),

segments as (
    select agg_daily_page_segments.* from rebuild
    inner join agg_daily_page_segments on agg_daily_page_segments.local_date = rebuild.local_date
),

final as (
    select
        local_date,
        page_path,
        is_bot,
        sum(views)::bigint as views,
        sum(entries)::bigint as entries,
        sum(exits)::bigint as exits,
        sum(entry_bounces)::bigint as entry_bounces,
        sum(entry_purchases)::bigint as entry_purchases
    from segments
    group by local_date, page_path, is_bot
)

select * from final
