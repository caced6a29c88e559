-- An hour that was listed after all of its own had come, and not touched since, need not be listed again.
-- Null: not known, so it is listed once more.
alter table loaded_hours add column listed_at timestamptz;
alter table loaded_hours add column touched_at timestamptz;
comment on table loaded_hours is 'Hours that were listed and loaded; closed when that was after the hour had ended. listed_at: when the last listing began that left nothing to load. touched_at: when an import last put something into it.';
