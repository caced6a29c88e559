-- How the warehouse asks the shop's database for its orders: for the tables of infra_cfn/oltp/schema.sql. A shop with other
-- tables writes its own SELECT and names the file in CLICKSTREAM_SHOP_QUERY. One row for each order, with these columns:
--
--   order_id       as the purchase event says it
--   placed_at      when; a time without a zone counts as UTC
--   currency       ISO 4217, such as EUR; null for the shop's own
--   total          what the buyer paid: items - discount + shipping + tax
-- and where the shop has them:
--   status         its word for where the order stands
--   is_sale        false for what was cancelled or never paid, and never null. Test orders are left out by a `where`
--   discount, shipping, tax
--   refunded       given back in all; refunded_at  when the last part of it was
--   lines          JSON: [{"product_id": …, "quantity": …, "price": what one piece cost}, …]
-- An order of which one of these cannot be read is left out, and told with the reason.
--
-- Nothing about who bought: no column of that kind is taken. `clickstream.since` is a moment of the shop's own clock: only what
-- has changed since then is asked for, and everything the first time, when it is -infinity. To try it in psql:
--   set clickstream.since = '-infinity';
select
    orders.order_id,
    orders.created_at as placed_at,
    orders.status,
    orders.status <> 'cancelled' as is_sale,
    orders.currency,
    orders.total,
    orders.discount,
    orders.shipping,
    orders.tax,
    given_back.amount as refunded,
    given_back.last_at as refunded_at,
    bought.lines
from orders
cross join lateral (
    select sum(amount) as amount, max(created_at) as last_at from refunds where refunds.order_id = orders.order_id
) as given_back
cross join lateral (
    select json_agg(json_build_object('product_id', product_id, 'quantity', quantity, 'price', unit_price)) as lines
    from order_items where order_items.order_id = orders.order_id
) as bought
where orders.order_id in (
    -- Not two conditions with an `or` between them: for those every order is read, and not just the end of two indexes.
    select order_id from orders where updated_at >= current_setting('clickstream.since')::timestamptz
    union
    select order_id from refunds where created_at >= current_setting('clickstream.since')::timestamptz
)
