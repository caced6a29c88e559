-- Who was shown a variant, and what they bought from then on. How often a client names a variant, and how many it names, is its
-- own choice: of each variant only the first event is read, by index, and of the variants no more than a limit.
with recursive

rebuild as (
    select visitor_id from rebuild_keys
),

settings as (
    select * from shop_settings
),

shown as (
    (
        select rebuild.visitor_id, first.experiment, first.variant, first.event_timestamp, 1 as number
        from rebuild
        cross join lateral (
            select events.experiment, events.variant, events.event_timestamp from clickstream_events as events
            where events.visitor_id = rebuild.visitor_id and events.experiment is not null
            order by events.experiment, events.variant, events.event_timestamp
            limit 1
        ) as first
    )
    union all
    (
        select shown.visitor_id, next.experiment, next.variant, next.event_timestamp, shown.number + 1
        from shown
        cross join settings
        cross join lateral (
            select events.experiment, events.variant, events.event_timestamp from clickstream_events as events
            where events.visitor_id = shown.visitor_id
                and events.experiment is not null
                and (events.experiment, events.variant) > (shown.experiment, shown.variant)
            order by events.experiment, events.variant, events.event_timestamp
            limit 1
        ) as next
        where shown.number < settings.variants_limit
    )
),

exposures as (
    select
        visitor_id,
        experiment,
        (array_agg(variant order by event_timestamp, variant))[1] as variant,
        count(*) > 1 as is_mixed,
        min(event_timestamp) as first_exposed_at,
        max(max(number)) over (partition by visitor_id) as variants
    from shown
    group by visitor_id, experiment
),

placed as (
    -- A visitor's sessions do not overlap: the last one that began before the event holds it.
    select exposures.*, visit.session_key, visit.channel, visit.device_type, visit.country, visit.is_bot
    from exposures
    cross join lateral (
        select * from fact_sessions
        where fact_sessions.visitor_id = exposures.visitor_id and fact_sessions.started_at <= exposures.first_exposed_at
        order by fact_sessions.started_at desc
        limit 1
    ) as visit
    where visit.ended_at >= exposures.first_exposed_at
),

final as (
    select
        placed.experiment,
        placed.visitor_id,
        placed.variant,
        placed.is_mixed,
        placed.first_exposed_at,
        (placed.first_exposed_at at time zone settings.timezone)::date as local_date,
        placed.session_key,
        placed.channel,
        coalesce(placed.device_type, '(none)') as device_type,
        coalesce(placed.country, '(none)') as country,
        placed.is_bot,
        bought.orders,
        bought.other_currency_orders,
        bought.currency,
        bought.revenue,
        bought.refunded,
        placed.variants >= settings.variants_limit as is_limit_reached
    from placed
    cross join settings
    cross join lateral (
        select
            count(*)::integer as orders,
            count(*) filter (where later.currency <> later.first_currency)::integer as other_currency_orders,
            coalesce(min(later.first_currency), '(none)') as currency,
            exact_amount(coalesce(sum(later.revenue) filter (where later.currency = later.first_currency), 0)) as revenue,
            exact_amount(coalesce(sum(later.refunded) filter (where later.currency = later.first_currency), 0)) as refunded
        from (
            select
                fact_orders.currency, fact_orders.revenue, fact_orders.refunded,
                first_value(fact_orders.currency) over (order by fact_orders.ordered_at, fact_orders.order_id) as first_currency
            from fact_orders
            where fact_orders.visitor_id = placed.visitor_id
                and fact_orders.is_bot = placed.is_bot
                and fact_orders.ordered_at between placed.first_exposed_at
                and placed.first_exposed_at + settings.experiment_window
        ) as later
    ) as bought
)

select * from final
