-- What CloudWatch says of each hour, as the scheduled function has put it into the raw bucket. Empty on a laptop.
create table operational_metrics (
    hour timestamptz not null,
    source text not null,
    metric text not null,
    value double precision not null,
    unit text not null,
    primary key (hour, source, metric)
);

create table operational_objects (
    hour timestamptz primary key,
    etag text not null,
    loaded_at timestamptz not null default now()
);
comment on table operational_objects is 'Which version of each hour''s object operational_metrics holds.';
