-- The hosts that a load sees pages of the shop on for the first time (warehouse/labels.py).
with

final as (
    select host from new_shop_hosts
)

select * from final
