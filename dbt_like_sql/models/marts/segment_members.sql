-- A view: each day that passes moves people in and out, whether anything was loaded or not.
with

people as (
    select
        dim_person.person_id,
        dim_person.visit_count as visits,
        coalesce(customer_rfm.orders, 0) as orders,
        coalesce(customer_rfm.purchases, 0) as purchases,
        coalesce(customer_rfm.net_revenue, 0) as revenue,
        customer_rfm.days_since_order,
        greatest(last_whole_day.local_date - (dim_person.last_visit_at at time zone shop_settings.timezone)::date, 0)
            as days_since_visit,
        dim_person.channel as first_channel,
        dim_person.channels,
        dim_person.device_type as device,
        dim_person.country,
        customer_rfm.rfm_group as rfm
    from dim_person
    cross join last_whole_day
    cross join shop_settings
    left join customer_rfm on customer_rfm.person_id = dim_person.person_id and not customer_rfm.is_bot
    where not dim_person.is_bot
),

final as (
    select segments.segment, people.person_id
    from people
    inner join segments
        on (segments.visits_from is null or people.visits >= segments.visits_from)
        and (segments.visits_to is null or people.visits <= segments.visits_to)
        and (segments.orders_from is null or people.orders >= segments.orders_from)
        and (segments.orders_to is null or people.orders <= segments.orders_to)
        and (segments.purchases_from is null or people.purchases >= segments.purchases_from)
        and (segments.purchases_to is null or people.purchases <= segments.purchases_to)
        and (segments.revenue_from is null or people.revenue >= segments.revenue_from)
        and (segments.revenue_to is null or people.revenue <= segments.revenue_to)
        and (segments.days_since_order_from is null or people.days_since_order >= segments.days_since_order_from)
        and (segments.days_since_order_to is null or people.days_since_order <= segments.days_since_order_to)
        and (segments.days_since_visit_from is null or people.days_since_visit >= segments.days_since_visit_from)
        and (segments.days_since_visit_to is null or people.days_since_visit <= segments.days_since_visit_to)
        and (segments.first_channel is null or people.first_channel = any(segments.first_channel))
        and (segments.channel is null or people.channels && segments.channel)
        and (segments.device is null or people.device = any(segments.device))
        and (segments.country is null or people.country = any(segments.country))
        and (segments.rfm is null or people.rfm = any(segments.rfm))
)

select * from final
