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
alter role clickstream_reader set default_transaction_read_only = on;
alter role clickstream_reader set statement_timeout = '30s';
alter role clickstream_dagster login nosuperuser nocreatedb nocreaterole connection limit 60;
select 'grant clickstream_transformer to clickstream_loader'
where not pg_has_role('clickstream_loader', 'clickstream_transformer', 'member') \gexec

select 'create database clickstream_dw owner clickstream_transformer'
where not exists (select from pg_database where datname = 'clickstream_dw') \gexec
select 'create database dagster owner clickstream_dagster'
where not exists (select from pg_database where datname = 'dagster') \gexec

-- Everybody may connect to, and make temporary tables in, a new database. Here only those who work in it.
revoke all on database clickstream_dw, dagster from public;
grant connect, temporary on database clickstream_dw to clickstream_loader;
grant connect on database clickstream_dw to clickstream_reader;
