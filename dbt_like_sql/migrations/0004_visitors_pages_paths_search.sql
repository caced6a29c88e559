-- Visitors by day, landing and exit pages, paths, searches, and the funnel by visitor and by category.
-- A path, a search term and a category are whatever a visitor sends, and an index row above 2,704 bytes would stop every load
-- behind it: where one is part of the grain there is no primary key, only an index on the date that rows are replaced by.

alter table shop_settings add column funnel_window interval not null default interval '7 days';
alter table shop_settings alter column funnel_window drop default;

create function search_term(query text) returns text
language sql immutable parallel safe
return nullif(rtrim(left(ltrim(regexp_replace(
    normalize(lower(query), nfc),
    '[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g'
)), 200)), '');
comment on function search_term(text) is
    'A search query as it is counted: lower case, one blank between words, at most 200 characters; null when empty.';

create table fact_visitor_days (
    visitor_id text not null,
    local_date date not null,
    is_bot boolean not null,
    first_on date not null,
    previous_on date,
    first_on_any date not null,
    previous_on_any date,
    channel text not null,
    device_type text not null,
    country text not null,
    primary key (visitor_id, local_date, is_bot)
);
create index fact_visitor_days_local_date on fact_visitor_days (local_date);

create table fact_visitor_funnels (
    visitor_id text not null,
    local_date date not null,
    is_bot boolean not null,
    previous_on date,
    previous_on_any date,
    entered_at timestamptz not null,
    funnel_step integer not null,
    funnel_seconds integer,
    channel text not null,
    device_type text not null,
    country text not null,
    primary key (visitor_id, local_date, is_bot)
);
create index fact_visitor_funnels_local_date on fact_visitor_funnels (local_date);

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
    entry_purchases bigint not null
);
create index agg_daily_page_segments_local_date on agg_daily_page_segments (local_date);

create table agg_daily_pages (
    local_date date not null,
    page_path text not null,
    is_bot boolean not null,
    views bigint not null,
    entries bigint not null,
    exits bigint not null,
    entry_bounces bigint not null,
    entry_purchases bigint not null
);
create index agg_daily_pages_local_date on agg_daily_pages (local_date);

create table agg_daily_paths (
    local_date date not null,
    anchor text not null,
    steps text[] not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions bigint not null,
    sessions_with_purchase bigint not null
);
create index agg_daily_paths_local_date on agg_daily_paths (local_date, anchor);

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
    revenue numeric not null
);
create index agg_daily_search_local_date on agg_daily_search (local_date);

create table agg_daily_category_funnel (
    local_date date not null,
    product_category text not null,
    step integer not null,
    event_name text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions bigint not null
);
create index agg_daily_category_funnel_local_date on agg_daily_category_funnel (local_date);
