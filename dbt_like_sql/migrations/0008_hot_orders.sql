-- An order's first purchase and its refunds are found by this index, however many events name the order: a client chooses the
-- order id, and a shop that sends "0" or "test" with every order has one order of everything.
create index clickstream_events_order on clickstream_events (order_key, event_name, event_timestamp, event_id)
    where order_key is not null;
drop index clickstream_events_order_key;

alter table shop_settings add column order_events_limit integer not null default 100;
alter table shop_settings alter column order_events_limit drop default;

alter table fact_orders add column is_id_overused boolean not null default false;
alter table fact_orders alter column is_id_overused drop default;
create index fact_orders_overused on fact_orders (order_id) where is_id_overused;
