-- Between the load of an hour and the end of its run there is time to fail or to be killed: the hour is closed then, and its
-- run still owed.
alter table loaded_hours add column is_run_owed boolean not null default false;
comment on column loaded_hours.is_run_owed is 'A tick has begun a Dagster run of this hour, and none has succeeded since.';
