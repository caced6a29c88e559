with

rebuild as (
    select person_id from rebuild_keys
),

visitor_days as (
    select fact_visitor_days.* from rebuild
    inner join fact_visitor_days on fact_visitor_days.person_id = rebuild.person_id
),

origins as (
    select distinct on (person_id) person_id, channel, device_type, country
    from visitor_days
    order by person_id, local_date, visitor_id
),

days as (
    select distinct person_id, local_date, is_bot from visitor_days
),

final as (
    select
        days.person_id,
        days.local_date,
        days.is_bot,
        min(days.local_date) over same_kind as first_on,
        lag(days.local_date) over (same_kind order by days.local_date) as previous_on,
        min(days.local_date) over any_kind as first_on_any,
        lag(days.local_date) over (any_kind order by days.local_date, days.is_bot) as previous_on_any,
        origins.channel,
        origins.device_type,
        origins.country
    from days
    inner join origins on origins.person_id = days.person_id
    window same_kind as (partition by days.person_id, days.is_bot), any_kind as (partition by days.person_id)
)

select * from final
