-- What happens in each hour, for what is out of the ordinary. Everything here is derived: its SQL is new, so the migration owes it
-- all of its rows, and the next run pays them.

create table fact_session_hours (
    session_key uuid not null,
    hour_at timestamptz not null,
    local_date date not null,
    event_name text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    browser text not null,
    is_bot boolean not null,
    events integer not null
);
create index fact_session_hours_session on fact_session_hours (session_key);
create index fact_session_hours_local_date on fact_session_hours using brin (local_date);

create table agg_hourly_events (
    hour_at timestamptz not null,
    local_date date not null,
    event_name text not null,
    device_type text not null,
    browser text not null,
    is_bot boolean not null,
    events bigint not null,
    row_count bigint not null
);
create index agg_hourly_events_grain on agg_hourly_events (
    hash_record_extended(row(hour_at, local_date, event_name, device_type, browser, is_bot), 0)
);
create index agg_hourly_events_local_date on agg_hourly_events (local_date);

create table agg_hourly_orders (
    hour_at timestamptz not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    orders integer not null,
    revenue numeric not null,
    row_count bigint not null
);
create index agg_hourly_orders_grain on agg_hourly_orders (
    hash_record_extended(row(hour_at, local_date, channel, device_type, country, currency, is_bot), 0)
);
create index agg_hourly_orders_local_date on agg_hourly_orders (local_date);
