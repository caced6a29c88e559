-- The shop's own database: who buys, what is sold, what was ordered, what is left. Run again, it changes nothing.
-- The warehouse reads orders, their lines and refunds (reader.sql), and compares them with purchase events by the order's id.
begin;

create table if not exists users (
    user_id uuid primary key default gen_random_uuid(),
    cognito_sub uuid unique, -- the `sub` of the sign-in, which the signed-in route writes into events as user_id
    email text not null check (position('@' in email) > 1),
    display_name text,
    created_at timestamptz not null default now()
);
create unique index if not exists users_email on users (lower(email));

create table if not exists products (
    product_id text primary key,
    name text not null,
    category text not null,
    brand text,
    price numeric(12, 2) not null check (price >= 0),
    discount_price numeric(12, 2) check (discount_price >= 0 and discount_price <= price),
    currency char(3) not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    is_active boolean not null default true,
    created_at timestamptz not null default now()
);
create index if not exists products_category on products (category) where is_active;

create table if not exists inventory (
    product_id text primary key references products on delete cascade,
    quantity integer not null check (quantity >= 0), -- two buyers of the last one: the second update fails
    updated_at timestamptz not null default now()
);

create table if not exists orders (
    order_id uuid primary key default gen_random_uuid(),
    user_id uuid references users, -- null: bought without an account
    status text not null default 'placed' check (status in ('placed', 'paid', 'shipped', 'delivered', 'cancelled', 'refunded')),
    currency char(3) not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    total numeric(12, 2) not null check (total >= 0), -- items - discount + shipping + tax: what the buyer paid
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
alter table orders add column if not exists discount numeric(12, 2) not null default 0 check (discount >= 0);
alter table orders add column if not exists shipping numeric(12, 2) not null default 0 check (shipping >= 0);
alter table orders add column if not exists tax numeric(12, 2) not null default 0 check (tax >= 0);
alter table orders add column if not exists coupon text;
alter table orders add column if not exists client_id text; -- the tracker's visitor, so that a refund sent by the server finds its order's; null: no consent
create index if not exists orders_user on orders (user_id, created_at desc);
create index if not exists orders_created on orders (created_at);
create index if not exists orders_updated on orders (updated_at); -- what has changed since the warehouse asked last

create table if not exists order_items (
    order_id uuid not null references orders on delete cascade,
    product_id text not null references products,
    quantity integer not null check (quantity > 0),
    unit_price numeric(12, 2) not null check (unit_price >= 0), -- what was paid, whatever the product costs later
    primary key (order_id, product_id)
);
create index if not exists order_items_product on order_items (product_id);

-- What was given back of an order, in as many parts as it took.
create table if not exists refunds (
    refund_id uuid primary key default gen_random_uuid(),
    order_id uuid not null references orders on delete cascade,
    amount numeric(12, 2) not null check (amount > 0),
    created_at timestamptz not null default now()
);
create index if not exists refunds_order on refunds (order_id);
create index if not exists refunds_created on refunds (created_at);

commit;
