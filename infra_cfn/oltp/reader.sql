-- The warehouse's login: it reads what clickstream_dagster/shop_orders.sql asks for, and nothing that says who bought. Run again,
-- it changes nothing. The password is given by bootstrap.sh.
do $$
begin
    if not exists (select from pg_roles where rolname = 'shop_reader') then
        create role shop_reader;
    end if;
end
$$;
alter role shop_reader login nosuperuser nocreatedb nocreaterole connection limit 3;
alter role shop_reader set default_transaction_read_only = on;
revoke all on all tables in schema public from shop_reader;
grant select (order_id, status, currency, total, discount, shipping, tax, created_at, updated_at) on orders to shop_reader;
grant select (order_id, product_id, quantity, unit_price) on order_items to shop_reader;
grant select (order_id, amount, created_at) on refunds to shop_reader;
