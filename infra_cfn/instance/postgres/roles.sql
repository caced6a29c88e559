-- Who there is, and which database is whose. Repeated at each run of bootstrap.sh, so every statement can be.
-- Passwords are not here: steps/40_roles.sh makes them. What the loader and the reader may do with the tables is granted by
-- the migrations, since that changes with the tables.
select format('create role %I', name) from unnest(array[
    'clickstream_transformer', 'clickstream_loader', 'clickstream_reader', 'clickstream_dagster'
]) as name
where not exists (select from pg_roles where rolname = name) \gexec

-- Owns the warehouse. Nobody logs in as it: the loader takes its place for migrations and rebuilds, and only for these.
alter role clickstream_transformer nologin nosuperuser nocreatedb nocreaterole;
alter role clickstream_loader login noinherit nosuperuser nocreatedb nocreaterole connection limit 40;
alter role clickstream_reader login nosuperuser nocreatedb nocreaterole connection limit 20;
-- A role may change its own defaults: the first two of these are put back at each run of this, and the loader ends what is
-- far too old (clickstream_dagster/warehouse/reader.py). The third one only a superuser can change.
alter role clickstream_reader reset all;
alter role clickstream_reader set default_transaction_read_only = on;
alter role clickstream_reader set statement_timeout = '30s';
alter role clickstream_reader set temp_file_limit = '4GB';
alter role clickstream_dagster login nosuperuser nocreatedb nocreaterole connection limit 60;
select 'grant clickstream_transformer to clickstream_loader'
where not pg_has_role('clickstream_loader', 'clickstream_transformer', 'member') \gexec
-- To end what a reader has left running (PostgreSQL 15 knows no inheritance by grant; there the loader only sees it).
select format('grant %s to clickstream_loader', name)
    || case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true' else '' end
from (values ('pg_signal_backend'), ('pg_read_all_stats')) as wanted (name)
where not pg_has_role('clickstream_loader', name, 'member') \gexec

select 'create database clickstream_dw owner clickstream_transformer'
where not exists (select from pg_database where datname = 'clickstream_dw') \gexec
select 'create database dagster owner clickstream_dagster'
where not exists (select from pg_database where datname = 'dagster') \gexec

-- Everybody may connect to, and make temporary tables in, a new database. Here only those who work in it.
revoke all on database clickstream_dw, dagster from public;
grant connect, temporary on database clickstream_dw to clickstream_loader;
grant connect on database clickstream_dw to clickstream_reader;

-- What everybody may call in a new database, and a reader must not: the loader's locks, large objects, notes that fill the
-- disk, ending the dashboard's connections. The list is that of clickstream_dagster/warehouse/reader.py.
\connect clickstream_dw
select format('revoke execute on function %1$s from public; grant execute on function %1$s to clickstream_loader, clickstream_transformer', oid::regprocedure)
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and has_function_privilege('public', oid, 'execute')
    and proname ~ '^(pg_(try_)?advisory_.*|lo_.*|lowrite|pg_notify|pg_logical_emit_message|pg_terminate_backend|pg_cancel_backend)$' \gexec
