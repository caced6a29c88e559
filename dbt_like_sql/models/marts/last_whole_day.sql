-- Where loading has come to within the data; for history without hours that are loaded whole, its last day.
with

days as (
    select min(local_date) as first_on, max(local_date) as last_on from agg_daily_traffic
),

loaded as (
    select (data_freshness.complete_to at time zone shop_settings.timezone)::date - 1 as whole_on
    from data_freshness
    cross join shop_settings
),

final as (
    select case when whole_on between first_on and last_on then whole_on else last_on end as local_date
    from days
    cross join loaded
)

select * from final
