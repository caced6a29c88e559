with

staged as (
    select * from staged_shop_orders
),

final as (
    select
        staged.order_id,
        staged.placed_at,
        (staged.placed_at at time zone shop_settings.timezone)::date as local_date,
        staged.status,
        staged.is_sale,
        coalesce(staged.currency, shop_settings.currency) as currency,
        exact_amount(staged.total) as total,
        exact_amount(staged.items) as items,
        exact_amount(staged.discount) as discount,
        exact_amount(staged.shipping) as shipping,
        exact_amount(staged.tax) as tax,
        exact_amount(staged.refunded) as refunded,
        staged.refunded_at,
        staged.lines,
        order_pieces(staged.lines) as pieces,
        staged.source
    from staged
    cross join shop_settings
)

select * from final
