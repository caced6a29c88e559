with

days as (
    select generate_series(date '2015-01-01', date '2040-12-31', interval '1 day')::date as local_date
),

final as (
    select
        local_date,
        extract(year from local_date)::integer as year,
        extract(quarter from local_date)::integer as quarter,
        extract(month from local_date)::integer as month,
        extract(isoyear from local_date)::integer as iso_year,
        extract(week from local_date)::integer as iso_week,
        extract(isodow from local_date)::integer as iso_weekday,
        extract(isodow from local_date) >= 6 as is_weekend
    from days
)

select * from final
