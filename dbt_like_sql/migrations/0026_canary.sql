-- Test visits: the note of each that was sent, as it lies in the raw store. What arrived of it is in rejected_events.
create table canary_notes (
    name text primary key,
    sent_at timestamptz not null,
    steps text [] not null,
    answer text
);
comment on table canary_notes is 'A test visit that was sent, and what the collector answered.';
create index canary_notes_sent_at on canary_notes (sent_at);
create index rejected_events_canary on rejected_events (message) where code = 'canary';
alter table etl_ledger add column canary integer not null default 0;
