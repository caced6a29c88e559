-- What has expired: lines that were received before the policy's horizon and left the tables. The manifest keeps its rows, so that
-- an object that is still stored is not loaded again.

alter table raw_objects add column expired_count integer not null default 0;
alter table etl_ledger add column expired integer not null default 0;

create function has_expired(object raw_objects) returns boolean
language sql immutable parallel safe
return object.expired_count > 0 and object.expired_count + object.erased_count = object.line_count;
comment on function has_expired(raw_objects) is 'Nothing of the object is left in the tables, because of its age.';

create table expired_events (event_id uuid primary key);
comment on table expired_events is 'Events that have expired while a later copy of them is still among the duplicates: no further copy makes them anew.';

create table expiry (
    is_only_row boolean primary key default true check (is_only_row),
    events_from timestamptz not null
);
comment on table expiry is 'Since when events are kept: whatever was received before has expired. Empty while nothing has.';

-- What an expired event alone had said is forgotten: whether another one says it too must not cost a look at all of them.
create index clickstream_events_agent_key on clickstream_events (agent_key) where agent_key is not null;
create index clickstream_events_shop_host on clickstream_events (page_host)
    where page_host is not null and event_name in ('page_view', 'view_product');
