with

hours as (
    select partition_hour, lead(partition_hour) over (order by partition_hour) as next_hour
    from loaded_hours
    where is_closed
),

final as (
    select min(partition_hour) + interval '1 hour' as complete_to
    from hours
    where next_hour is null or next_hour > partition_hour + interval '1 hour'
)

select * from final
