-- The lake: which hours of which tables lie in the bucket as Parquet, and which have changed since they were written.
create table lake_hours (
    model text not null,
    hour timestamptz not null,
    changes bigint not null default 1,
    written_changes bigint,
    layout text,
    object_key text,
    content_hash text,
    row_count bigint not null default 0,
    size_bytes bigint not null default 0,
    written_at timestamptz,
    primary key (model, hour)
);
comment on table lake_hours is 'One row per table and UTC hour that ever had rows. The object holds the hour as it was when changes was written_changes, which is null while it was never written; an hour without rows has no object.';

-- A trigger, so that nobody can forget it: an hour that was wrongly thought to be written would keep the rows of a person who was
-- erased. The count rises in the transaction that changes the rows: whoever reads both on one snapshot has the rows of that count.
-- Of an update the new rows are enough, since no row moves to another hour: it goes, and another one comes.
create function note_lake_hours() returns trigger language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        update lake_hours set changes = changes + 1 where model = tg_table_name;
    else
        execute format(
            'insert into lake_hours (model, hour)
            select distinct %L, date_trunc(''hour'', %I, ''UTC'') as hour from moved_rows order by hour
            on conflict (model, hour) do update set changes = lake_hours.changes + 1',
            tg_table_name, tg_argv[0]
        );
    end if;
    return null;
end
$$;

create procedure follow_in_lake(followed regclass, hour_column text) language plpgsql as $$
declare
    event record;
begin
    for event in select * from (values ('insert', 'new'), ('update', 'new'), ('delete', 'old')) as t (name, side) loop
        execute format(
            'create trigger %I after %s on %s referencing %s table as moved_rows
            for each statement execute function note_lake_hours(%L)',
            'note_lake_hours_' || event.name, event.name, followed, event.side, hour_column
        );
    end loop;
    execute format(
        'create trigger note_lake_hours_truncate after truncate on %s for each statement execute function note_lake_hours()',
        followed
    );
    execute format(
        'insert into lake_hours (model, hour) select distinct %L, date_trunc(''hour'', %I, ''UTC'') from %s',
        followed::text, hour_column, followed
    );
end
$$;
comment on procedure follow_in_lake(regclass, text) is 'Have lake_hours follow a table from now on, whose rows belong to the UTC hour of a column. The first write calls it: who has no lake pays nothing.';
