-- The marts by segment (channel, device, country), refunds by item, the time through the funnel, and when each table was
-- last rebuilt. What is created again here is derived: its new SQL owes it all of its keys, and the next run pays them.

create or replace function funnel_times_advance(
    times timestamptz[], event_name text, happened_at timestamptz, steps text[]
) returns timestamptz[]
language sql immutable parallel safe
return case when event_name = steps[cardinality(times) + 1] then times || happened_at else times end;

create or replace aggregate funnel_times(event_name text, happened_at timestamptz, steps text[]) (
    sfunc = funnel_times_advance, stype = timestamptz[], initcond = '{}', parallel = safe
);
comment on aggregate funnel_times(text, timestamptz, text[]) is
    'When each of the steps happened, in order. Order the events by time, and by step where times are equal.';

alter table fact_sessions add column funnel_seconds integer;
create index fact_sessions_through_funnel on fact_sessions (local_date) where funnel_seconds is not null;

alter table fact_order_items add column refunded numeric not null default 0;
alter table fact_order_items alter column refunded drop default;
alter table agg_daily_products add column refunded numeric not null default 0;
alter table agg_daily_products alter column refunded drop default;

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
    visitors integer not null,
    page_views bigint not null,
    events bigint not null,
    orders bigint not null,
    primary key (hour_at, channel, device_type, country, is_bot)
);
create index agg_hourly_traffic_local_date on agg_hourly_traffic (local_date);

-- No primary key where a visitor chooses several of its texts: a row of an index holds 2,704 bytes, and a longer one would
-- stop every load behind it.
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
    visitors integer not null,
    new_visitors integer not null,
    bounces integer not null,
    engaged_sessions integer not null,
    page_views bigint not null,
    events bigint not null,
    duration_seconds numeric not null,
    sessions_with_purchase integer not null,
    orders bigint not null
);
create index agg_daily_acquisition_local_date on agg_daily_acquisition (local_date);

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
    refunded numeric not null
);
create index agg_daily_revenue_local_date on agg_daily_revenue (local_date);

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
    primary key (local_date, step, channel, device_type, country, is_bot)
);

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
    refunded numeric not null
);
create index agg_daily_product_segments_local_date on agg_daily_product_segments (local_date);

create table model_runs (
    model text primary key,
    finished_at timestamptz not null,
    keys integer,
    removed bigint,
    added bigint
);
comment on table model_runs is
    'The last transaction that changed each table: keys it rebuilt (visitors for fact_sessions, objects for clickstream_events), rows it removed and added.';
