-- Both sides of each order. What is asked of some dates reads the orders of these dates, by index.
with

began as (
    -- The first whole hour of events: what was ordered before it could not be told, or has expired.
    select greatest(date_trunc('hour', started_at) + interval '1 hour', expiry.events_from) as events_from
    from fact_sessions
    left join expiry on true
    order by local_date, started_at
    limit 1
),

known as (
    select
        began.events_from,
        data_freshness.complete_to - interval '1 hour' as events_to,
        shop_readings.known as shop_known,
        upper(shop_readings.known) - interval '1 hour' as shop_to
    from shop_readings
    cross join data_freshness
    left join began on true
    where not isempty(shop_readings.known)
),

paired as (
    select
        shop.order_id, shop.local_date, shop.placed_at as ordered_at, true as is_in_shop, told.order_id is not null as is_in_events,
        shop.is_sale, shop.status, shop.currency, told.currency as event_currency, shop.total, told.revenue, shop.refunded,
        told.refunded as event_refunded, shop.refunded_at, shop.discount, shop.shipping, shop.tax, shop.pieces,
        told.lines as event_lines, coalesce(told.has_order_id, true) as has_order_id, coalesce(told.is_bot, false) as is_bot
    from shop_orders as shop
    left join fact_orders as told on told.order_id = shop.order_id
    union all
    select
        told.order_id, told.local_date, told.ordered_at, false, true, true, null, told.currency, told.currency, null, told.revenue,
        null, told.refunded, null, null, null, null, null, told.lines, told.has_order_id, told.is_bot
    from fact_orders as told
    left join shop_orders as shop on shop.order_id = told.order_id
    where shop.order_id is null
),

compared as (
    -- A cent may be a matter of rounding.
    select
        paired.*,
        order_pieces(paired.event_lines) as event_pieces,
        paired.total - paired.revenue as difference,
        abs(paired.total - paired.revenue) > 0.01 as is_amount_off,
        abs(paired.refunded - paired.event_refunded) > 0.01 as is_refund_off,
        known.events_to,
        known.shop_to,
        case
            when not paired.is_in_shop and paired.is_bot then 'a bot''s'
            when paired.is_in_shop and (known.events_from is null or paired.ordered_at < known.events_from) then 'before the events'
            when paired.is_in_shop and (known.events_to is null or paired.ordered_at > known.events_to) then 'too new'
            when not paired.is_in_shop and not known.shop_known @> tstzrange(
                paired.ordered_at - interval '1 hour', paired.ordered_at + interval '1 hour', '[]'
            ) then 'not read yet'
            when not paired.is_sale and coalesce(paired.revenue = paired.event_refunded, true) then 'no sale'
        end as left_out
    from paired
    cross join known
),

judged as (
    select
        compared.*,
        case
            when left_out is not null then left_out
            when not is_sale then 'sold by events alone'
            when not is_in_events then 'missing in events'
            when not is_in_shop then 'missing in the shop'
            when currency <> event_currency then 'currency differs'
            when is_amount_off then 'amount differs'
            when pieces <> event_pieces then 'items differ'
            -- Of two sides that are read at different times, one may know of a refund a while before the other.
            when is_refund_off
                and (refunded_at is null or refunded_at <= events_to)
                and not exists (
                    select from clickstream_events as refunds
                    where refunds.order_key = compared.order_id and refunds.event_name = 'refund'
                        and refunds.event_timestamp > compared.shop_to
                )
                then 'refund differs'
            else 'agrees'
        end as outcome
    from compared
),

final as (
    select
        order_id,
        local_date,
        ordered_at,
        outcome,
        left_out is null as is_judged,
        is_in_shop,
        is_in_events,
        status,
        currency,
        total,
        event_currency,
        revenue,
        refunded,
        event_refunded,
        case
            when not is_in_shop or not is_in_events or left_out is not null then 0
            when currency <> event_currency then 0
            else least(total, revenue)
        end as arrived,
        case
            when outcome <> 'amount differs' then null
            when tax > 0 and abs(difference - tax) <= 0.01 then 'tax'
            when shipping > 0 and abs(difference - shipping) <= 0.01 then 'shipping'
            when shipping > 0 and tax > 0 and abs(difference - shipping - tax) <= 0.01 then 'shipping and tax'
            when discount > 0 and abs(difference + discount) <= 0.01 then 'discount'
        end as explained_by,
        pieces,
        event_pieces,
        has_order_id,
        is_bot
    from judged
)

select * from final
