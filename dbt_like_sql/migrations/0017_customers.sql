-- Customers: people with orders. Everything here is derived: its SQL is new, so the migration owes it all of its rows, and the
-- next run pays them.

alter table dim_visitor
    add column first_device_type text,
    add column first_country text,
    add column visit_count integer,
    add column last_visit_at timestamptz,
    add column channels text[];

create table dim_person (
    person_id text primary key,
    browser_count integer not null,
    first_seen_at timestamptz not null,
    visit_count integer not null,
    last_visit_at timestamptz,
    channel text not null,
    device_type text not null,
    country text not null,
    channels text[] not null,
    is_bot boolean not null
);

create table fact_person_orders (
    order_id text primary key,
    visitor_id text not null,
    person_id text not null,
    ordered_at timestamptz not null,
    local_date date not null,
    order_channel text not null,
    currency text not null,
    revenue numeric not null,
    refunded numeric not null,
    is_bot boolean not null
);
create index fact_person_orders_visitor on fact_person_orders (visitor_id);
create index fact_person_orders_person on fact_person_orders (person_id);

create table fact_customer_orders (
    order_id text primary key,
    person_id text not null,
    order_number integer not null,
    purchase_number integer not null,
    ordered_at timestamptz not null,
    local_date date not null,
    previous_on date,
    order_channel text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    revenue numeric not null,
    refunded numeric not null,
    is_bot boolean not null
);
create index fact_customer_orders_person on fact_customer_orders (person_id);
create index fact_customer_orders_local_date on fact_customer_orders (local_date);

create table fact_customers (
    person_id text not null,
    is_bot boolean not null,
    local_date date not null,
    first_order_at timestamptz not null,
    second_order_at timestamptz,
    last_order_at timestamptz not null,
    last_order_on date not null,
    orders integer not null,
    purchases integer not null,
    days_to_second integer,
    currency text not null,
    other_currency_orders integer not null,
    revenue numeric not null,
    refunded numeric not null,
    value_30 numeric not null,
    value_90 numeric not null,
    value_365 numeric not null,
    first_order_channel text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    primary key (person_id, is_bot)
);
create index fact_customers_local_date on fact_customers (local_date);

create table agg_daily_customers (
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    orders integer not null,
    new_orders integer not null,
    returning_orders integer not null,
    new_customers integer not null,
    buyers integer not null,
    new_revenue numeric not null,
    new_refunded numeric not null,
    returning_revenue numeric not null,
    returning_refunded numeric not null,
    row_count bigint not null
);
create index agg_daily_customers_grain on agg_daily_customers (hash_record_extended(row(local_date, channel, device_type, country, currency, is_bot), 0));
create index agg_daily_customers_local_date on agg_daily_customers (local_date);

create table agg_customer_cohorts (
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    customers integer not null,
    repeat_customers integer not null,
    repeat_30 integer not null,
    repeat_90 integer not null,
    repeat_365 integer not null,
    days_to_second bigint not null,
    orders bigint not null,
    other_currency_orders bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    value_30 numeric not null,
    value_90 numeric not null,
    value_365 numeric not null,
    row_count bigint not null
);
create index agg_customer_cohorts_grain on agg_customer_cohorts (hash_record_extended(row(local_date, channel, device_type, country, currency, is_bot), 0));
create index agg_customer_cohorts_local_date on agg_customer_cohorts (local_date);

create table segments (
    segment text primary key,
    place integer not null,
    label text not null,
    visits_from integer,
    visits_to integer,
    orders_from integer,
    orders_to integer,
    purchases_from integer,
    purchases_to integer,
    revenue_from numeric,
    revenue_to numeric,
    days_since_order_from integer,
    days_since_order_to integer,
    days_since_visit_from integer,
    days_since_visit_to integer,
    first_channel text[],
    channel text[],
    device text[],
    country text[],
    rfm text[]
);
comment on table segments is 'The conditions of segments.yml; null where a segment has none. Written by migrate only.';
