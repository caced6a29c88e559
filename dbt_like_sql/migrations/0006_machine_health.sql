-- What the warehouse's machine says of itself, once an hour. Empty where there is no such machine.
create table machine_health (
    hour timestamptz primary key,
    measured_at timestamptz not null,
    disk_total_bytes bigint not null,
    disk_free_bytes bigint not null,
    memory_available_bytes bigint not null,
    backed_up_at timestamptz,
    disk_free_percent numeric generated always as (round(100.0 * disk_free_bytes / disk_total_bytes, 1)) stored
);
comment on table machine_health is 'The data disk and the last backup, hour by hour: written by the machine itself.';
