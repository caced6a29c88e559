-- What an order says beside its value, several things in one event, and what of an event could not be kept as it was sent.

alter table clickstream_events
    add column order_tax numeric,
    add column order_shipping numeric,
    add column order_discount numeric,
    add column order_coupon text,
    add column items jsonb,
    add column list_name text,
    add column warnings jsonb;
