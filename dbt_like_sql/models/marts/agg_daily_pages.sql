with

final as (
    select
        local_date,
        page_path,
        is_bot,
        sum(views)::bigint as views,
        sum(entries)::bigint as entries,
        sum(exits)::bigint as exits,
        sum(entry_bounces)::bigint as entry_bounces,
        sum(entry_purchases)::bigint as entry_purchases,
        count(*) as row_count
    from fact_session_pages
    group by local_date, page_path, is_bot
)

select * from final
