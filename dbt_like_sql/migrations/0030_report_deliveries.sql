-- To whom a report has been sent. The row is there before the report goes: whoever finds one sends nothing.
create table report_deliveries (
    period text not null,
    recipient text not null,
    begun_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    primary key (period, recipient)
);
comment on table report_deliveries is 'Reports that were sent; sent_at is empty where nobody knows whether one went out.';
