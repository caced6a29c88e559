-- Marts that are sums over facts, and the facts of a session's grain that they are sums of. What is created again here is
-- derived: its new SQL owes it all of its rows, and the next run pays them.

create function exact_amount(amount numeric) returns numeric
language sql immutable parallel safe
return round(amount, greatest(min_scale(amount), 2));
comment on function exact_amount(numeric) is
    'The amount with two decimals, or as many more as it needs: the same amount is the same bytes, whatever it was added up from.';

create table fact_session_products (
    session_key uuid not null,
    product_id text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    currency text not null,
    views integer not null,
    adds integer not null,
    last_at timestamptz not null,
    product_name text,
    product_category text,
    product_brand text,
    price numeric
);

create table fact_session_pages (
    session_key uuid not null,
    page_path text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    views integer not null,
    entries integer not null,
    exits integer not null,
    entry_bounces integer not null,
    entry_purchases integer not null
);

create table fact_session_searches (
    session_key uuid not null,
    term text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    currency text not null,
    searches integer not null,
    without_results integer not null,
    clicked integer not null
);

create table fact_session_categories (
    session_key uuid not null,
    product_category text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    depth integer not null
);

create table fact_session_paths (
    session_key uuid not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    first_steps text[] not null,
    last_steps text[] not null,
    has_purchase boolean not null
);

create index fact_session_products_session on fact_session_products (session_key);
create index fact_session_products_dates on fact_session_products (product_id, local_date);
create index fact_session_products_name on fact_session_products (product_id, last_at) where product_name is not null;
create index fact_session_products_category on fact_session_products (product_id, last_at)
    where product_category is not null;
create index fact_session_products_brand on fact_session_products (product_id, last_at) where product_brand is not null;
create index fact_session_products_price on fact_session_products (product_id, last_at) where price is not null;
-- A path, a search term and a category are whatever a visitor sends, and an index row above 2,704 bytes would stop every load
-- behind it: they are in no index.
create index fact_session_pages_session on fact_session_pages (session_key);
create index fact_session_searches_session on fact_session_searches (session_key);
create index fact_session_categories_session on fact_session_categories (session_key);
create index fact_session_paths_session on fact_session_paths (session_key);
-- Rows lie in the order of their dates, so that an index of ranges is enough, and costs a load next to nothing.
create index fact_session_products_local_date on fact_session_products using brin (local_date);
create index fact_session_pages_local_date on fact_session_pages using brin (local_date);
create index fact_session_searches_local_date on fact_session_searches using brin (local_date);
create index fact_session_categories_local_date on fact_session_categories using brin (local_date);
create index fact_session_paths_local_date on fact_session_paths using brin (local_date);

drop table fact_order_items;
drop table fact_orders;

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
    is_bot boolean not null,
    is_id_overused boolean not null,
    channel text not null,
    source text,
    medium text,
    campaign text,
    device_type text,
    country text,
    search_term text
);

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
    refunded numeric not null,
    is_first_of_product boolean not null,
    channel text not null,
    device_type text not null,
    country text not null,
    primary key (order_id, item_number)
);

create index fact_orders_local_date on fact_orders (local_date);
create index fact_orders_overused on fact_orders (order_id) where is_id_overused;
create index fact_orders_visitor on fact_orders (visitor_id, ordered_at);
create index fact_order_items_local_date on fact_order_items (local_date);
create index fact_order_items_product on fact_order_items (product_id, local_date) where product_id is not null;

-- The row of a grain is found by a hash of it, since an index row has no room for several texts of a visitor.

drop table agg_daily_acquisition;
create table agg_daily_acquisition (
    local_date date not null,
    channel text not null,
    source text not null,
    medium text not null,
    campaign text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions integer not null,
    new_visitors integer not null,
    bounces integer not null,
    engaged_sessions integer not null,
    page_views bigint not null,
    events bigint not null,
    duration_seconds numeric not null,
    sessions_with_purchase integer not null,
    orders bigint not null,
    row_count bigint not null
);
create index agg_daily_acquisition_grain on agg_daily_acquisition (hash_record_extended(row(local_date, channel, source, medium, campaign, device_type, country, is_bot), 0));
create index agg_daily_acquisition_local_date on agg_daily_acquisition (local_date);

drop table agg_daily_category_funnel;
create table agg_daily_category_funnel (
    local_date date not null,
    product_category text not null,
    step integer not null,
    event_name text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions bigint not null,
    row_count bigint not null
);
create index agg_daily_category_funnel_grain on agg_daily_category_funnel (hash_record_extended(row(local_date, product_category, step, event_name, channel, device_type, country, is_bot), 0));
create index agg_daily_category_funnel_local_date on agg_daily_category_funnel (local_date);

drop table agg_daily_funnel;
create table agg_daily_funnel (
    local_date date not null,
    step integer not null,
    event_name text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions bigint not null,
    row_count bigint not null
);
create index agg_daily_funnel_grain on agg_daily_funnel (hash_record_extended(row(local_date, step, event_name, channel, device_type, country, is_bot), 0));
create index agg_daily_funnel_local_date on agg_daily_funnel (local_date);

drop table agg_daily_page_segments;
create table agg_daily_page_segments (
    local_date date not null,
    page_path text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    views bigint not null,
    entries bigint not null,
    exits bigint not null,
    entry_bounces bigint not null,
    entry_purchases bigint not null,
    row_count bigint not null
);
create index agg_daily_page_segments_grain on agg_daily_page_segments (hash_record_extended(row(local_date, page_path, channel, device_type, country, is_bot), 0));
create index agg_daily_page_segments_local_date on agg_daily_page_segments (local_date);

drop table agg_daily_pages;
create table agg_daily_pages (
    local_date date not null,
    page_path text not null,
    is_bot boolean not null,
    views bigint not null,
    entries bigint not null,
    exits bigint not null,
    entry_bounces bigint not null,
    entry_purchases bigint not null,
    row_count bigint not null
);
create index agg_daily_pages_grain on agg_daily_pages (hash_record_extended(row(local_date, page_path, is_bot), 0));
create index agg_daily_pages_local_date on agg_daily_pages (local_date);

drop table agg_daily_paths;
create table agg_daily_paths (
    local_date date not null,
    anchor text not null,
    steps text[] not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions bigint not null,
    sessions_with_purchase bigint not null,
    row_count bigint not null
);
create index agg_daily_paths_grain on agg_daily_paths (hash_record_extended(row(local_date, anchor, steps, channel, device_type, country, is_bot), 0));
create index agg_daily_paths_local_date on agg_daily_paths (local_date, anchor);

drop table agg_daily_product_segments;
create table agg_daily_product_segments (
    local_date date not null,
    product_id text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    views bigint not null,
    viewed_sessions integer not null,
    added_sessions integer not null,
    added_unviewed_sessions integer not null,
    orders integer not null,
    units bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    row_count bigint not null
);
create index agg_daily_product_segments_grain on agg_daily_product_segments (hash_record_extended(row(local_date, product_id, channel, device_type, country, currency, is_bot), 0));
create index agg_daily_product_segments_local_date on agg_daily_product_segments (local_date);

drop table agg_daily_products;
create table agg_daily_products (
    local_date date not null,
    product_id text not null,
    currency text not null,
    is_bot boolean not null,
    views bigint not null,
    viewed_sessions integer not null,
    added_sessions integer not null,
    added_unviewed_sessions integer not null,
    orders integer not null,
    units bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    row_count bigint not null
);
create index agg_daily_products_grain on agg_daily_products (hash_record_extended(row(local_date, product_id, currency, is_bot), 0));
create index agg_daily_products_local_date on agg_daily_products (local_date);

drop table agg_daily_revenue;
create table agg_daily_revenue (
    local_date date not null,
    channel text not null,
    source text not null,
    medium text not null,
    campaign text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    orders integer not null,
    items bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    row_count bigint not null
);
create index agg_daily_revenue_grain on agg_daily_revenue (hash_record_extended(row(local_date, channel, source, medium, campaign, device_type, country, currency, is_bot), 0));
create index agg_daily_revenue_local_date on agg_daily_revenue (local_date);

drop table agg_daily_search;
create table agg_daily_search (
    local_date date not null,
    term text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    searches bigint not null,
    without_results bigint not null,
    clicked bigint not null,
    sessions bigint not null,
    orders bigint not null,
    revenue numeric not null,
    row_count bigint not null
);
create index agg_daily_search_grain on agg_daily_search (hash_record_extended(row(local_date, term, channel, device_type, country, currency, is_bot), 0));
create index agg_daily_search_local_date on agg_daily_search (local_date);

drop table agg_daily_traffic;
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
    row_count bigint not null
);
create index agg_daily_traffic_grain on agg_daily_traffic (hash_record_extended(row(local_date, is_bot), 0));
create index agg_daily_traffic_local_date on agg_daily_traffic (local_date);

drop table agg_hourly_traffic;
create table agg_hourly_traffic (
    hour_at timestamptz not null,
    local_date date not null,
    local_hour integer not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions integer not null,
    page_views bigint not null,
    events bigint not null,
    orders bigint not null,
    row_count bigint not null
);
create index agg_hourly_traffic_grain on agg_hourly_traffic (hash_record_extended(row(hour_at, local_date, local_hour, channel, device_type, country, is_bot), 0));
create index agg_hourly_traffic_local_date on agg_hourly_traffic (local_date);

-- Nearly all paths end with an exit; see 0005_path_statistics.sql.
create statistics agg_daily_paths_last on (steps[cardinality(steps)]) from agg_daily_paths;
create statistics agg_daily_paths_before_last on (steps[cardinality(steps) - 1]) from agg_daily_paths;
create statistics agg_daily_paths_first on (steps[1]) from agg_daily_paths;

-- One row, of which PostgreSQL believes that they are hundreds, until somebody has looked.
analyze shop_settings;
