-- What an hour of raw objects becomes. The loader writes all of these in one transaction per batch.

create table shop_settings (
    is_only_row boolean primary key default true check (is_only_row),
    timezone text not null,
    currency text not null,
    funnel_steps text[] not null,
    session_gap interval not null
);
comment on table shop_settings is 'The settings that the models below were built with. Written by the loader only.';

create table raw_objects (
    object_key text not null,
    content_hash uuid not null,
    etag text not null,
    size_bytes bigint not null,
    partition_hour timestamptz not null,
    line_count integer not null,
    event_count integer not null,
    rejected_count integer not null,
    loaded_at timestamptz not null default now(),
    primary key (object_key, content_hash)
);
create index raw_objects_partition_hour on raw_objects (partition_hour);

create table loaded_hours (
    partition_hour timestamptz primary key,
    is_closed boolean not null,
    loaded_at timestamptz not null default now()
);
comment on table loaded_hours is 'Hours that were listed and loaded; closed when that was after the hour had ended.';

create table clickstream_events (
    event_id uuid primary key,
    event_timestamp timestamptz not null,
    event_name text not null,
    user_id text,
    user_login_state text,
    identity_source text,
    client_id text,
    session_id text,
    is_first_visit boolean,
    product_id text,
    product_name text,
    product_category text,
    product_brand text,
    product_price numeric,
    product_discount_price numeric,
    product_url_path text,
    visitor_id text not null,
    received_at timestamptz not null,
    sent_at timestamptz,
    client_timestamp timestamptz,
    time_source text not null,
    page_url text,
    page_host text,
    page_path text,
    page_title text,
    referrer text,
    channel text,
    source text,
    medium text,
    campaign text,
    device_type text,
    device jsonb,
    country text,
    region text,
    city text,
    quantity integer,
    currency text,
    order_id text,
    order_key text,
    order_value numeric,
    order_items jsonb,
    search_query text,
    consent text,
    is_gpc boolean,
    is_dnt boolean,
    user_agent text,
    is_bot boolean not null,
    tracker_version text,
    props jsonb,
    partition_hour timestamptz not null,
    object_key text not null,
    line_number integer not null,
    payload_hash uuid not null
);
create index clickstream_events_visitor on clickstream_events (visitor_id, event_timestamp);
create index clickstream_events_partition_hour on clickstream_events (partition_hour);
create index clickstream_events_order_key on clickstream_events (order_key) where order_key is not null;

create table duplicate_events (
    event_id uuid not null,
    partition_hour timestamptz not null,
    object_key text not null,
    line_number integer not null,
    received_at timestamptz not null,
    payload_hash uuid not null,
    payload_differs boolean not null
);
create index duplicate_events_event_id on duplicate_events (event_id);
create index duplicate_events_partition_hour on duplicate_events (partition_hour);

create table rejected_events (
    partition_hour timestamptz not null,
    object_key text not null,
    line_number integer not null,
    content_hash uuid not null,
    received_at timestamptz not null,
    code text not null,
    message text not null,
    body text not null,
    body_encoding text not null,
    primary key (object_key, content_hash, line_number)
);
create index rejected_events_partition_hour on rejected_events (partition_hour);

-- What has changed and not been rebuilt yet. A step takes its rows in the transaction that does its work, so that a
-- crash between two steps leaves the rest owed and nothing stale. Append-only on purpose: no key, so no waiting.
create table changed_spans (
    visitor_id text not null,
    spans tstzmultirange not null
);
comment on table changed_spans is 'Times of a visitor whose sessions are to be cut again: the input of fact_sessions.';

create table changed_keys (
    model text not null,
    key text not null
);
create index changed_keys_model on changed_keys (model);
comment on table changed_keys is 'Keys (dates, visitors, orders, ...) of a model whose rows are to be rebuilt.';

create table model_versions (
    model text primary key,
    sql_hash text not null
);
comment on table model_versions is 'The SQL that each table was built with; another one owes a rebuild of all its keys.';
