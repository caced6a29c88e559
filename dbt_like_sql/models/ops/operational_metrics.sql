with

final as (
    select hour, source, metric, value, unit
    from staged_metrics
)

select * from final
