-- What happens on the visits from %(first)s up to %(last)s: pages, products, searches, and at the end of some the way to an order.
insert into clickstream_events (
    event_id, event_timestamp, event_name, user_id, user_login_state, client_id, session_id, product_id, product_name,
    product_category, product_brand, product_price, product_discount_price, product_url_path, visitor_id, received_at,
    sent_at, client_timestamp, time_source, page_url, page_host, page_path, page_title, referrer, source_key,
    device_type, device, country, city, quantity, currency, order_id, order_key, order_value, order_items,
    search_query, user_agent, is_automated, tracker_version, props, partition_hour, object_key, line_number, payload_hash
)
with

steps as (
    select
        visits.*,
        place,
        n * 128 + place as number,
        -- The product that is bought is the one that was added.
        case when depth > 0 and length - place <= depth then n * 128 + 127 else n * 128 + place end as subject,
        started_at + interval '1 second' * (place * (20 + 40 * pg_temp.roll(n, 20)) + pg_temp.roll(n * 128 + place, 21)) as happened_at
    from visits
    cross join lateral generate_series(0, length - 1) as place
    where n >= %(first)s and n < %(last)s
),

named as (
    select
        steps.*,
        case
            when depth > 0 and length - place <= depth
                then (array['view_product', 'add_to_cart', 'checkout', 'purchase'])[depth - (length - place) + 1]
            when pg_temp.roll(number, 22) < 0.42 then 'page_view'
            when pg_temp.roll(number, 22) < 0.78 then 'view_product'
            when pg_temp.roll(number, 22) < 0.84 then 'search'
            when pg_temp.roll(number, 22) < 0.98 then 'click'
            else 'add_to_cart'
        end as event_name,
        case when pg_temp.roll(subject, 23) < 0.8 then category else pg_temp.zipf(40, pg_temp.roll(subject, 24)) end
        + 40 * (pg_temp.zipf(50, pg_temp.roll(subject, 25)) - 1) as product
    from steps
),

priced as (
    select
        named.*,
        event_name in ('view_product', 'add_to_cart', 'purchase') as is_about_product,
        10 + mod(product * 7919, 190000) / 100.0 as price,
        1 + (pg_temp.roll(number, 26) > 0.85)::integer as pieces,
        case
            when event_name in ('view_product', 'add_to_cart') then '/product/p-' || product
            when event_name = 'search' then '/search'
            when event_name = 'checkout' then '/checkout'
            when event_name = 'purchase' then '/checkout/thank-you'
            when pg_temp.roll(number, 27) < 0.25 then '/'
            when pg_temp.roll(number, 27) < 0.80 then '/category/c-' || mod(product - 1, 40) + 1
            when pg_temp.roll(number, 27) < 0.90 then '/blog/post-' || pg_temp.zipf(300, pg_temp.roll(number, 28))
            else '/help/topic-' || pg_temp.zipf(60, pg_temp.roll(number, 28))
        end as path
    from named
),

ordered as (
    select
        priced.*,
        case when event_name = 'purchase' then 'o-' || n end as order_id,
        case
            when event_name = 'purchase' then (
                select jsonb_agg(jsonb_build_object(
                    'product_id', 'p-' || item.product, 'name', 'Product ' || item.product,
                    'category', 'Category ' || mod(item.product - 1, 40) + 1, 'brand', 'Brand ' || mod(item.product, 60),
                    'price', 10 + mod(item.product * 7919, 190000) / 100.0, 'quantity', pieces
                ))
                from (
                    select case when line = 1 then product else mod(product + line * 40, 2000) + 1 end as product
                    from generate_series(1, pg_temp.zipf(4, pg_temp.roll(n, 29))) as line
                ) as item
            )
        end as order_items,
        least(
            happened_at + interval '1 second' + case when pg_temp.roll(n, 30) < 0.01 then interval '3 hours' else interval '0' end,
            %(end)s::timestamptz - interval '9 hours 1 second'
        ) as received_at
    from priced
)

select
    md5(number::text)::uuid, least(happened_at, received_at), event_name, user_id, case when user_id is null then 'guest' else 'signed_in' end,
    visitor_id, 's-' || n,
    case when is_about_product then 'p-' || product end, case when is_about_product then 'Product ' || product end,
    case when is_about_product then 'Category ' || mod(product - 1, 40) + 1 end,
    case when is_about_product then 'Brand ' || mod(product, 60) end,
    case when is_about_product then price end, case when is_about_product and mod(product, 4) = 0 then round(price * 0.9, 2) end,
    case when is_about_product then '/product/p-' || product end, visitor_id, received_at, received_at, happened_at, 'client',
    'https://shop.example' || path, 'shop.example', path, 'Page ' || path, case when place > 0 then 'https://shop.example/' end,
    case when place = 0 then source_key end, device_type, '{"viewport": "390x844", "language": "en-GB", "pixel_ratio": 3}', country, 'Springfield',
    case when event_name in ('add_to_cart', 'purchase') then pieces end,
    case when is_about_product then case when country in ('AT', 'NL') then 'EUR' else 'USD' end end,
    order_id, order_id, null, order_items,
    case when event_name = 'search' then 'find term ' || pg_temp.zipf(4000, pg_temp.roll(number, 31)) end,
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile/15E148 Safari/604.1', is_bot, '1.4.0',
    case when event_name = 'search'
        then jsonb_build_object('results', case when pg_temp.roll(number, 32) < 0.08 then 0 else 12 end) end,
    date_trunc('hour', received_at), 'events/' || to_char(received_at, 'YYYY/MM/DD/HH24') || '/event-' || mod(n, 60), place,
    md5(number::text)::uuid
from ordered;
