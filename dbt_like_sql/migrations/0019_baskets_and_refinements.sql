-- What a session looked at and bought, as lists; and which term it searched for after which. Both tables are new, so all of their
-- keys are owed, and the next run fills them.

create table fact_session_baskets (
    session_key uuid primary key,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    viewed text[] not null,
    bought text[] not null,
    is_limit_reached boolean not null
);
create index fact_session_baskets_local_date on fact_session_baskets (local_date);
create index fact_session_baskets_bought on fact_session_baskets (local_date) where bought <> '{}';

-- The orders of a session are found by it.
create index fact_orders_session on fact_orders (session_key);

create table fact_session_refinements (
    session_key uuid not null,
    term text not null,
    next_term text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    is_without_results boolean not null,
    is_clicked boolean not null,
    has_purchase boolean not null
);
-- No primary key: two terms of 200 letters may be more than an index row holds.
create index fact_session_refinements_session on fact_session_refinements (session_key);
create index fact_session_refinements_local_date on fact_session_refinements (local_date);

-- Null until the next run has filled it.
alter table fact_session_searches add column has_purchase boolean;
