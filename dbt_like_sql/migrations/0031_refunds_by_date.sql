-- The refunds of a period are found by when they were given, and not among all its events.
create index clickstream_events_refunds on clickstream_events (event_timestamp)
    where event_name = 'refund' and order_key is not null;
