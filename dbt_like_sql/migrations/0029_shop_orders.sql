-- The shop's own orders, as its database or a file of it says them, to be compared with those that arrived by events.

create table shop_orders (
    order_id text primary key,
    placed_at timestamptz not null,
    local_date date not null,
    status text,
    is_sale boolean not null,
    currency text not null,
    total numeric not null,
    items numeric,
    discount numeric,
    shipping numeric,
    tax numeric,
    refunded numeric not null,
    refunded_at timestamptz,
    lines jsonb,
    pieces jsonb,
    source text not null
);
create index shop_orders_local_date on shop_orders (local_date);

-- How far the shop's orders are known. `known`: of these times every order was told. `read_to`: the clock of the shop's database
-- when it was read last, by the query with this hash; empty where only files were brought in.
create table shop_readings (
    is_only_row boolean primary key default true check (is_only_row),
    known tstzmultirange not null default '{}',
    read_to timestamptz,
    query_hash text
);
comment on table shop_readings is 'How far the orders of the shop are known.';
insert into shop_readings default values;

-- The pieces of each product in the lines of an order; nothing where a line does not say which product it is.
create function order_pieces(lines jsonb) returns jsonb immutable parallel safe
return (
    select case when count(product_id) = count(*) then jsonb_object_agg(product_id, pieces) filter (where product_id is not null) end
    from (
        select line ->> 'product_id' as product_id, sum(coalesce((line ->> 'quantity')::integer, 1)) as pieces
        from jsonb_array_elements(lines) as line
        group by line ->> 'product_id'
    ) as products
);
