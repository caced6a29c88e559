-- Carts. All of these tables are derived: they are new, so all of their keys are owed, and the next run fills them.

alter table shop_settings
    add column cart_left_after interval not null default '24 hours',
    add column cart_recovery_window interval not null default '7 days',
    add column cart_life interval not null default '30 days',
    add column cart_lines_limit integer not null default 2000;
alter table shop_settings
    alter column cart_left_after drop default,
    alter column cart_recovery_window drop default,
    alter column cart_life drop default,
    alter column cart_lines_limit drop default;

-- What a visitor does with carts, without all else that the visitor does.
create index clickstream_events_cart on clickstream_events (visitor_id, event_timestamp, event_id)
where event_name in (
    'add_to_cart', 'remove_from_cart', 'view_cart', 'checkout', 'add_shipping_info', 'add_payment_info', 'purchase'
);

create table fact_cart_events (
    visitor_id text not null,
    event_id uuid not null,
    line_number integer not null,
    person_id text not null,
    event_timestamp timestamptz not null,
    event_name text not null,
    product_id text,
    quantity integer,
    price numeric,
    currency text,
    order_id text,
    revenue numeric,
    refunded numeric,
    order_currency text,
    session_key uuid not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    is_limit_reached boolean not null
);
-- No primary key: an event whose visitor was corrected stands under both until the former one is rebuilt too.
create index fact_cart_events_visitor on fact_cart_events (visitor_id);
create index fact_cart_events_person on fact_cart_events (person_id, event_timestamp);

create table fact_carts (
    cart_key uuid primary key,
    person_id text not null,
    visitor_id text not null,
    session_key uuid not null,
    local_date date not null,
    outcome text not null,
    started_at timestamptz not null,
    last_add_at timestamptz not null,
    last_event_at timestamptz not null,
    checkout_at timestamptz,
    left_at timestamptz,
    abandoned_at timestamptz,
    recovered_at timestamptz,
    bought_at timestamptz,
    emptied_at timestamptz,
    deepest_step text not null,
    pieces bigint not null,
    unpriced_pieces bigint not null,
    value numeric not null,
    largest_value numeric not null,
    last_value numeric not null,
    currency text not null,
    lines jsonb,
    order_id text,
    revenue numeric,
    refunded numeric,
    order_currency text,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    is_limit_reached boolean not null
);
create index fact_carts_person on fact_carts (person_id);
create index fact_carts_local_date on fact_carts (local_date);
create index fact_carts_abandoned_at on fact_carts (abandoned_at);
create index fact_carts_order on fact_carts (order_id) where order_id is not null;

create table fact_cart_items (
    cart_key uuid not null,
    product_id text not null,
    person_id text not null,
    local_date date not null,
    outcome text not null,
    is_recovered boolean not null,
    quantity bigint not null,
    price numeric,
    value numeric not null,
    currency text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null
);
create index fact_cart_items_person on fact_cart_items (person_id);
create index fact_cart_items_local_date on fact_cart_items using brin (local_date);

create table agg_daily_carts (
    local_date date not null,
    deepest_step text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    carts integer not null,
    bought integer not null,
    emptied integer not null,
    abandoned integer not null,
    abandoned_unpriced integer not null,
    recovered integer not null,
    bought_late integer not null,
    abandoned_value numeric not null,
    recovered_value numeric not null,
    bought_revenue numeric not null,
    recovered_revenue numeric not null,
    recovered_refunded numeric not null,
    recovered_seconds bigint not null,
    row_count bigint not null
);
create index agg_daily_carts_grain on agg_daily_carts (
    hash_record_extended(row(local_date, deepest_step, channel, device_type, country, currency, is_bot), 0)
);
create index agg_daily_carts_local_date on agg_daily_carts (local_date);

create table agg_daily_cart_products (
    local_date date not null,
    product_id text not null,
    currency text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    carts integer not null,
    abandoned_carts integer not null,
    abandoned_pieces bigint not null,
    abandoned_value numeric not null,
    recovered_carts integer not null,
    recovered_pieces bigint not null,
    recovered_value numeric not null,
    row_count bigint not null
);
create index agg_daily_cart_products_grain on agg_daily_cart_products (
    hash_record_extended(row(local_date, product_id, currency, channel, device_type, country, is_bot), 0)
);
create index agg_daily_cart_products_local_date on agg_daily_cart_products (local_date);
