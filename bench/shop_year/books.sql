-- Refunds of some orders, and the books: objects, hours, copies and rejects as a collector would have left them.
insert into clickstream_events (
    event_id, event_timestamp, event_name, visitor_id, client_id, received_at, time_source, order_id, order_key, currency,
    is_automated, partition_hour, object_key, line_number, payload_hash
)
select
    md5('refund' || order_key)::uuid, at, 'refund', visitor_id, visitor_id, at, 'client', order_id, order_key, currency, is_automated,
    date_trunc('hour', at), 'events/' || to_char(at, 'YYYY/MM/DD/HH24') || '/event-refund', 0, md5('refund' || order_key)::uuid
from (
    select clickstream_events.*, event_timestamp + interval '3 days' as at from clickstream_events
    where event_name = 'purchase' and hashtext(order_key) %% 20 = 0
) as refunded
where at < %(end)s::timestamptz - interval '9 hours';

insert into duplicate_events
select event_id, partition_hour, object_key, line_number, received_at, payload_hash, false
from clickstream_events where uuid_hash(event_id) %% 100 = 0;

insert into rejected_events
select
    partition_hour, object_key, 1000 + row_number() over (), md5(object_key)::uuid, received_at,
    (array['invalid_json', 'missing_event_name', 'missing_visitor', 'invalid_product'])[1 + abs(hashtext(event_id::text)) %% 4],
    'See docs/events.md.', '{"eventName": ""}', 'text'
from clickstream_events where uuid_hash(event_id) %% 300 = 1;

insert into raw_objects
select object_key, md5(object_key)::uuid, '"etag"', 900 * count(*), partition_hour, count(*), sum(events), count(*) - sum(events), now()
from (
    select object_key, partition_hour, 1 as events from clickstream_events
    union all select object_key, partition_hour, 1 from duplicate_events
    union all select object_key, partition_hour, 0 from rejected_events
) as lines
group by object_key, partition_hour;

insert into loaded_hours
select hour, true, hour + interval '65 minutes'
from generate_series(
    date_trunc('hour', %(since)s::timestamptz), %(end)s::timestamptz - interval '10 hours', interval '1 hour'
) as hour;
