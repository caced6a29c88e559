-- How many of an hour's loaded events the collector had refused. The ledger is owed all of its rows, and the next run fills them.

alter table etl_ledger add column replayed integer;
