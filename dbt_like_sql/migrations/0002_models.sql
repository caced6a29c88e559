-- The tables that dbt_like_sql/models fills. Their columns are described in the .yml beside each model.

create function funnel_advance(depth integer, event_name text, steps text[]) returns integer
language sql immutable parallel safe
return case when event_name = steps[depth + 1] then depth + 1 else depth end;

create aggregate funnel_depth(text, text[]) (sfunc = funnel_advance, stype = integer, initcond = '0', parallel = safe);
comment on aggregate funnel_depth(text, text[]) is
    'How many of the steps happen in order. Order the events by time, and by step where times are equal.';

create table fact_sessions (
    session_key uuid primary key,
    visitor_id text not null,
    user_id text,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    local_date date not null,
    last_local_date date not null,
    event_count integer not null,
    page_view_count integer not null,
    product_view_count integer not null,
    search_count integer not null,
    click_count integer not null,
    add_to_cart_count integer not null,
    checkout_count integer not null,
    purchase_count integer not null,
    order_count integer not null,
    funnel_step integer not null,
    is_bounce boolean not null,
    is_engaged boolean not null,
    is_new_visitor boolean not null,
    entry_path text,
    exit_path text,
    channel text not null,
    source text,
    medium text,
    campaign text,
    device_type text,
    country text,
    is_bot boolean not null,
    unique (visitor_id, started_at)
);
create index fact_sessions_ended_at on fact_sessions (visitor_id, ended_at);
create index fact_sessions_local_date on fact_sessions (local_date);
create index fact_sessions_new_visitor on fact_sessions (visitor_id) where is_new_visitor;
create index fact_sessions_user on fact_sessions (visitor_id, started_at) where user_id is not null;
create index fact_sessions_many_days on fact_sessions (last_local_date) where last_local_date > local_date;

create table fact_orders (
    order_id text primary key,
    event_id uuid not null,
    visitor_id text not null,
    session_key uuid not null,
    ordered_at timestamptz not null,
    local_date date not null,
    revenue numeric not null,
    refunded numeric not null,
    currency text not null,
    item_count bigint not null,
    has_order_id boolean not null,
    is_bot boolean not null
);
create index fact_orders_local_date on fact_orders (local_date);
create index fact_orders_visitor on fact_orders (visitor_id, ordered_at);

create table fact_order_items (
    order_id text not null,
    item_number integer not null,
    local_date date not null,
    product_id text,
    product_name text,
    product_category text,
    product_brand text,
    price numeric,
    quantity integer not null,
    revenue numeric,
    currency text not null,
    is_bot boolean not null,
    primary key (order_id, item_number)
);
create index fact_order_items_local_date on fact_order_items (local_date);

create table dim_visitor (
    visitor_id text primary key,
    person_id text not null,
    user_id text,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    first_channel text not null,
    session_count integer not null,
    order_count bigint not null,
    is_bot boolean not null
);
create index dim_visitor_person on dim_visitor (person_id);

create table dim_product (
    product_id text primary key,
    product_name text,
    product_category text,
    product_brand text,
    price numeric,
    currency text,
    first_seen_on date not null,
    last_seen_on date not null
);

create table agg_hourly_traffic (
    hour_at timestamptz not null,
    local_date date not null,
    local_hour integer not null,
    is_bot boolean not null,
    sessions integer not null,
    visitors integer not null,
    page_views bigint not null,
    events bigint not null,
    orders bigint not null,
    primary key (hour_at, is_bot)
);
create index agg_hourly_traffic_local_date on agg_hourly_traffic (local_date);

create table agg_daily_traffic (
    local_date date not null,
    is_bot boolean not null,
    visitors integer not null,
    new_visitors integer not null,
    sessions integer not null,
    bounces integer not null,
    engaged_sessions integer not null,
    page_views bigint not null,
    events bigint not null,
    duration_seconds numeric not null,
    sessions_with_purchase integer not null,
    orders bigint not null,
    primary key (local_date, is_bot)
);

create table agg_daily_revenue (
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    orders integer not null,
    items bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    primary key (local_date, channel, device_type, country, currency, is_bot)
);

create table agg_daily_funnel (
    local_date date not null,
    step integer not null,
    event_name text not null,
    is_bot boolean not null,
    sessions bigint not null,
    primary key (local_date, step, is_bot)
);

create table agg_daily_products (
    local_date date not null,
    product_id text not null,
    currency text not null,
    is_bot boolean not null,
    product_name text,
    product_category text,
    product_brand text,
    price numeric,
    views bigint not null,
    viewed_sessions integer not null,
    added_sessions integer not null,
    added_unviewed_sessions integer not null,
    orders integer not null,
    units bigint not null,
    revenue numeric not null,
    primary key (local_date, product_id, currency, is_bot)
);
create index agg_daily_products_product on agg_daily_products (product_id, local_date);
create index agg_daily_products_name on agg_daily_products (product_id, local_date) where product_name is not null;
create index agg_daily_products_category on agg_daily_products (product_id, local_date)
    where product_category is not null;
create index agg_daily_products_brand on agg_daily_products (product_id, local_date) where product_brand is not null;
create index agg_daily_products_price on agg_daily_products (product_id, local_date) where price is not null;

create table agg_daily_acquisition (
    local_date date not null,
    channel text not null,
    source text not null,
    medium text not null,
    campaign text not null,
    is_bot boolean not null,
    sessions integer not null,
    visitors integer not null,
    new_visitors integer not null,
    bounces integer not null,
    engaged_sessions integer not null,
    page_views bigint not null,
    sessions_with_purchase integer not null,
    orders bigint not null,
    primary key (local_date, channel, source, medium, campaign, is_bot)
);

create table etl_ledger (
    partition_hour timestamptz primary key,
    objects integer not null,
    received integer not null,
    loaded integer not null,
    duplicate integer not null,
    rejected integer not null,
    rejected_by_code jsonb not null,
    late integer not null,
    difference integer not null
);
create index etl_ledger_unbalanced on etl_ledger (partition_hour) where difference <> 0;
