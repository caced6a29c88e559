-- A rejected body above 64 KiB is kept by its beginning, its length and its hash.
alter table rejected_events add column body_bytes bigint, add column body_sha256 text;
