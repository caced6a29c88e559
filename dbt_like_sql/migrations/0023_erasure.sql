-- Who was erased, as salted hashes, so that no load brings them back; what each erasure took out, without a word of whom; and
-- the lines in the store that were not loaded for it.

create table erasures (
    receipt_id uuid primary key,
    erased_at timestamptz not null,
    lines integer not null default 0,
    events integer not null default 0,
    duplicates integer not null default 0,
    rejected integer not null default 0,
    objects_rewritten integer not null default 0,
    objects_removed integer not null default 0,
    hours integer not null default 0
);
comment on table erasures is 'One row per erasure: how many lines left the store and the tables, of what kind, out of how many objects and hours.';

create table erased_ids (
    receipt_id uuid not null references erasures,
    salt bytea not null,
    id_hash bytea not null,
    primary key (id_hash, salt)
);
comment on table erased_ids is 'Salted hashes of the ids that were erased, as they lie under erased/ of the store too. A load leaves out their lines.';

alter table raw_objects add column erased_count integer not null default 0;
alter table raw_objects alter column erased_count drop default;
alter table etl_ledger add column erased integer;
