-- What an order says beside its value, several things in one event, and what of an event could not be kept as it was sent.

alter table clickstream_events
    add column order_tax numeric,
    add column order_shipping numeric,
    add column order_discount numeric,
    add column order_coupon text,
    add column items jsonb,
    add column list_name text,
    add column warnings jsonb;

create index clickstream_events_warned on clickstream_events (partition_hour) where warnings is not null;

-- All purchase events of an order id are one order. What they say together is settled in one place, fact_orders.sql, and
-- fact_order_items only takes it apart.
alter table fact_orders
    add column tax numeric,
    add column shipping numeric,
    add column discount numeric,
    add column coupon text,
    add column adjustment numeric,
    add column lines jsonb,
    add column refunded_products jsonb;

alter table shop_settings add column order_lines_limit integer not null default 5000;
alter table shop_settings alter column order_lines_limit drop default;

alter table etl_ledger
    add column warned integer,
    add column warnings_by_code jsonb;

-- Lists show products, and are clicked.
alter table fact_session_products
    add column impressions integer,
    add column is_clicked boolean;

alter table agg_daily_products
    add column impressions bigint,
    add column shown_sessions integer,
    add column clicked_sessions integer;

alter table agg_daily_product_segments
    add column impressions bigint,
    add column shown_sessions integer,
    add column clicked_sessions integer;
