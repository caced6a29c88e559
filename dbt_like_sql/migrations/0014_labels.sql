-- Labels belong to what they are labels of, one row for each distinct value, and an event keeps only the key: so other rules
-- and other lists label history anew. Events that were loaded before get their keys from warehouse/backfill.py.

create table label_rules (
    is_only_row boolean primary key default true check (is_only_row),
    channels text not null,
    own_hosts text[] not null,
    channels_version text not null,
    agents_version text not null
);
comment on table label_rules is 'The channels.yml and the versions that everything is labelled with. Written by migrate only.';

create table dim_source (
    source_key uuid primary key,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    parameters text[] not null,
    referrer_host text,
    channel text,
    source text,
    medium text,
    campaign text,
    is_tagged boolean not null
);
create index dim_source_referrer_host on dim_source (referrer_host);

create table dim_user_agent (
    agent_key uuid primary key,
    user_agent text not null,
    kind text not null,
    device_type text,
    browser text,
    operating_system text
);

create table shop_hosts (host text primary key);

alter table clickstream_events drop column channel, drop column source, drop column medium, drop column campaign;
alter table clickstream_events rename column is_bot to is_automated;
alter table clickstream_events add column source_key uuid, add column agent_key uuid;
-- An origin may get another label; an agent does so only with another version of the lists, and is then looked for in all events.
create index clickstream_events_source_key on clickstream_events (source_key) where source_key is not null;

-- So that what a copy has taught can be forgotten with it.
alter table duplicate_events add column source_key uuid, add column agent_key uuid, add column shop_host text;

alter table fact_sessions add column browser text, add column operating_system text;

-- A search compares without case in every alphabet: beyond what lower() does, an s is an s wherever it stands in a word, and
-- an i with or without its dot.
create or replace function search_term(query text) returns text
language sql immutable parallel safe
return nullif(rtrim(left(ltrim(regexp_replace(
    normalize(replace(translate(lower(normalize(translate(query, 'İ', 'I'), nfkc)), 'ςı', 'σi'), 'ß', 'ss'), nfc),
    '[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g'
)), 200)), '');
update model_versions set sql_hash = '' where model in ('fact_session_searches', 'fact_orders');

-- People: a browser's days know whose they are, and a person's days are those of all their browsers.
alter table fact_visitor_days add column person_id text not null default '';
alter table fact_visitor_days alter column person_id drop default;
create index fact_visitor_days_person on fact_visitor_days (person_id);

create table fact_person_days (
    person_id text not null,
    local_date date not null,
    is_bot boolean not null,
    first_on date not null,
    previous_on date,
    first_on_any date not null,
    previous_on_any date,
    channel text not null,
    device_type text not null,
    country text not null,
    primary key (person_id, local_date, is_bot)
);
create index fact_person_days_local_date on fact_person_days (local_date);

drop table agg_daily_traffic;
create table agg_daily_traffic (
    local_date date not null,
    is_bot boolean not null,
    visitors integer not null,
    people integer not null,
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
update model_versions set sql_hash = '' where model = 'agg_daily_traffic';

create table agg_daily_browsers (
    local_date date not null,
    browser text not null,
    operating_system text not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    sessions integer not null,
    sessions_with_purchase integer not null,
    row_count bigint not null
);
create index agg_daily_browsers_grain on agg_daily_browsers (hash_record_extended(row(local_date, browser, operating_system, channel, device_type, country, is_bot), 0));
create index agg_daily_browsers_local_date on agg_daily_browsers (local_date);
