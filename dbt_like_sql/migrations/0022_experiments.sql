-- Which variant of which experiment an event shows, who saw which one first, and what they bought. The new tables are owed all of
-- their rows, and the next run fills them.

alter table clickstream_events
    add column experiment text,
    add column variant text;

-- A visitor's variants, and when each was first seen, in as many steps as there are variants.
create index clickstream_events_experiment on clickstream_events (visitor_id, experiment, variant, event_timestamp)
where experiment is not null;

alter table shop_settings
    add column experiment_window interval not null default interval '30 days',
    add column variants_limit integer not null default 100;
alter table shop_settings
    alter column experiment_window drop default,
    alter column variants_limit drop default;

create table fact_experiment_visitors (
    experiment text not null,
    visitor_id text not null,
    variant text not null,
    is_mixed boolean not null,
    first_exposed_at timestamptz not null,
    local_date date not null,
    session_key uuid not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    orders integer not null,
    other_currency_orders integer not null,
    currency text not null,
    revenue numeric not null,
    refunded numeric not null,
    is_limit_reached boolean not null
);
create index fact_experiment_visitors_visitor on fact_experiment_visitors (visitor_id);
create index fact_experiment_visitors_local_date on fact_experiment_visitors (local_date);

create table agg_experiment_variants (
    experiment text not null,
    variant text not null,
    is_mixed boolean not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    currency text not null,
    is_bot boolean not null,
    visitors integer not null,
    buyers integer not null,
    orders bigint not null,
    other_currency_orders bigint not null,
    revenue numeric not null,
    refunded numeric not null,
    net_revenue_squared numeric not null,
    row_count bigint not null
);
create index agg_experiment_variants_grain on agg_experiment_variants (
    hash_record_extended(row(experiment, variant, is_mixed, local_date, channel, device_type, country, currency, is_bot), 0)
);
create index agg_experiment_variants_local_date on agg_experiment_variants (local_date);
