-- Sessions as touches of a person before an order, what each attribution model credits them with, and the journeys that led to
-- no order. The new tables are owed all of their rows, and the next run fills them.

alter table shop_settings
    add column attribution_window interval not null default interval '30 days',
    add column attribution_half_life interval not null default interval '7 days',
    add column touches_limit integer not null default 100;
alter table shop_settings
    alter column attribution_window drop default,
    alter column attribution_half_life drop default,
    alter column touches_limit drop default;

create table fact_touches (
    session_key uuid primary key,
    visitor_id text not null,
    person_id text not null,
    started_at timestamptz not null,
    local_date date not null,
    channel text not null,
    source text,
    medium text,
    campaign text,
    is_bot boolean not null,
    is_visit boolean not null
);
create index fact_touches_visitor on fact_touches (visitor_id);
create index fact_touches_person on fact_touches (person_id, is_bot, started_at, session_key) where is_visit;

create table fact_order_touches (
    order_id text not null,
    position integer not null,
    touch_count integer not null,
    session_key uuid not null,
    person_id text not null,
    order_session_key uuid not null,
    ordered_at timestamptz not null,
    local_date date not null,
    started_at timestamptz not null,
    channel text not null,
    source text,
    medium text,
    campaign text,
    currency text not null,
    is_bot boolean not null,
    first_orders numeric not null,
    first_revenue numeric not null,
    last_orders numeric not null,
    last_revenue numeric not null,
    last_non_direct_orders numeric not null,
    last_non_direct_revenue numeric not null,
    linear_orders numeric not null,
    linear_revenue numeric not null,
    position_orders numeric not null,
    position_revenue numeric not null,
    time_decay_orders numeric not null,
    time_decay_revenue numeric not null,
    path text[],
    primary key (order_id, position)
);
-- One row of each order has its path: by these, the orders of a session and of a person's days are found.
create index fact_order_touches_session on fact_order_touches (order_session_key) where path is not null;
create index fact_order_touches_person on fact_order_touches (person_id, ordered_at) where path is not null;
create index fact_order_touches_local_date on fact_order_touches (local_date);

create table fact_lost_journeys (
    person_id text not null,
    is_bot boolean not null,
    started_at timestamptz not null,
    last_touch_at timestamptz not null,
    local_date date not null,
    touch_count integer not null,
    path text[] not null
);
create index fact_lost_journeys_person on fact_lost_journeys (person_id);
create index fact_lost_journeys_local_date on fact_lost_journeys using brin (local_date);

create table agg_daily_attribution (
    local_date date not null,
    channel text not null,
    source text not null,
    campaign text not null,
    currency text not null,
    is_bot boolean not null,
    touches bigint not null,
    first_orders numeric not null,
    first_revenue numeric not null,
    last_orders numeric not null,
    last_revenue numeric not null,
    last_non_direct_orders numeric not null,
    last_non_direct_revenue numeric not null,
    linear_orders numeric not null,
    linear_revenue numeric not null,
    position_orders numeric not null,
    position_revenue numeric not null,
    time_decay_orders numeric not null,
    time_decay_revenue numeric not null,
    row_count bigint not null
);
create index agg_daily_attribution_grain on agg_daily_attribution (hash_record_extended(row(local_date, channel, source, campaign, currency, is_bot), 0));
create index agg_daily_attribution_local_date on agg_daily_attribution (local_date);

create table agg_daily_touch_paths (
    local_date date not null,
    path text[] not null,
    currency text not null,
    is_bot boolean not null,
    orders bigint not null,
    revenue numeric not null,
    lost_journeys bigint not null,
    row_count bigint not null
);
create index agg_daily_touch_paths_grain on agg_daily_touch_paths (hash_record_extended(row(local_date, path, currency, is_bot), 0));
create index agg_daily_touch_paths_local_date on agg_daily_touch_paths (local_date);

-- What campaigns cost, as `clickstream spend` brings it in. Nothing derives it: no rebuild touches it.
create table campaign_spend (
    spent_on date not null,
    campaign text not null,
    source text,
    channel text,
    currency text not null,
    cost numeric not null,
    unique nulls not distinct (spent_on, campaign, source, channel, currency)
);
comment on table campaign_spend is
    'Cost of a campaign on a date, of its source and channel where the file says them. Joined to credits by these names and the currency.';
