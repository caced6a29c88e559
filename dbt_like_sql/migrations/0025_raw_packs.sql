-- Packs of raw objects all of whose members are in the manifest: none of them needs to be opened to know what is new.
create table raw_packs (
    pack_key text primary key,
    partition_hour timestamptz not null,
    entered_at timestamptz not null default now()
);
create index raw_packs_partition_hour on raw_packs (partition_hour);
comment on table raw_packs is 'Packs of raw objects that hold nothing but what is in raw_objects, whose rows keep the keys of the objects that were packed.';

-- Whatever leaves the manifest may lie in a pack, which is then to be opened again. A trigger, so that nobody can forget it: a pack
-- that was wrongly thought to be known would hide its events from every load.
create function forget_packs() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        delete from raw_packs;
    else
        delete from raw_packs where partition_hour in (select partition_hour from left_manifest);
    end if;
    return null;
end
$$;
create trigger forget_packs after delete on raw_objects
referencing old table as left_manifest for each statement execute function forget_packs();
create trigger forget_all_packs after truncate on raw_objects for each statement execute function forget_packs();
