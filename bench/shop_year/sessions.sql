-- The visits of a year: a row for each, in the order of time. %(sessions)s of them in the year before %(end)s, of which those
-- that begin at %(since)s or later are kept. What happens is a hash of a number, so that every build is the same.
create function pg_temp.roll(subject bigint, question bigint) returns double precision
language sql immutable parallel safe
return (hashint8extended(subject, question) & 4294967295)::double precision / 4294967296;

create function pg_temp.zipf(among integer, luck double precision) returns integer
language sql immutable parallel safe
return floor(power(among + 1, luck))::integer;

create temporary table visits as
with

numbered as (
    select
        n,
        n * 7 / 10 as known,
        (n + 1) * 7 / 10 > n * 7 / 10 as is_new,
        %(end)s::timestamptz - interval '1 year' + interval '1 day' * (n * 365 / %(sessions)s::bigint) as day
    from generate_series(10, %(sessions)s::bigint - 1) as n
),

timed as (
    -- Quiet nights and a broad evening.
    select
        numbered.*,
        day + interval '24 hours' * case
            when pg_temp.roll(n, 1) < 0.7 then (pg_temp.roll(n, 2) + pg_temp.roll(n, 3) + pg_temp.roll(n, 4)) / 3
            else pg_temp.roll(n, 2)
        end as started_at
    from numbered
),

met as (
    -- Who returns: regulars (some of them several times a day), those who came lately, and anybody.
    select
        n,
        started_at,
        case
            when is_new then known
            when pg_temp.roll(n, 5) < 0.12 then floor(least(known, 3000) * power(pg_temp.roll(n, 6), 2))::bigint
            when pg_temp.roll(n, 5) < 0.70 then known - 1 - floor(known * 0.1 * pg_temp.roll(n, 6))::bigint
            else floor(known * pg_temp.roll(n, 6))::bigint
        end as visitor
    from timed
    where started_at >= %(since)s and started_at < %(end)s::timestamptz - interval '9 hours'
),

kinds as (
    select
        met.*,
        pg_temp.roll(visitor, 7) < 0.03 as is_bot,
        case when pg_temp.roll(visitor, 8) < 0.62 then 'mobile' when pg_temp.roll(visitor, 8) < 0.94 then 'desktop' else 'tablet' end
            as device_type,
        (array[
            'US', 'DE', 'GB', 'FR', 'VN', 'NL', 'ES', 'IT', 'PL', 'CA', 'AT', 'CH', 'BE', 'SE', 'DK', 'IN', 'BR', 'JP', 'AU', 'PT'
        ])[pg_temp.zipf(20, pg_temp.roll(visitor, 9))] as country,
        case when pg_temp.roll(visitor, 10) < 0.12 then 'u-' || visitor / 2 end as user_id,
        case
            when pg_temp.roll(n, 11) < 0.34 then 1
            when pg_temp.roll(n, 11) < 0.52 then 2
            when pg_temp.roll(n, 11) < 0.64 then 3
            when pg_temp.roll(n, 11) < 0.73 then 4
            when pg_temp.roll(n, 11) < 0.81 then 5
            when pg_temp.roll(n, 11) < 0.87 then 6
            when pg_temp.roll(n, 11) < 0.92 then 7
            else 8
        end as origin,
        case
            when pg_temp.roll(n, 12) < 0.025 then 4
            when pg_temp.roll(n, 12) < 0.050 then 3
            when pg_temp.roll(n, 12) < 0.110 then 2
            else 0
        end as depth,
        case when pg_temp.roll(n, 13) < 0.3 then 1 else 2 - floor(10.6 * ln(1 - pg_temp.roll(n, 14)))::integer end as wish,
        pg_temp.zipf(40, pg_temp.roll(n, 15)) as category
    from met
),

final as (
    select
        n, 'v-' || visitor as visitor_id, started_at, is_bot, device_type, country, user_id, depth, category,
        least(greatest(wish, case when depth > 0 then depth + 2 else 1 end), 80) as length,
        (array[
            'organic search', null, 'paid search', 'email', 'referral', 'paid social', 'social', 'ai assistant'
        ])[origin] as channel,
        case origin
            when 1 then (array['google', 'bing', 'duckduckgo'])[pg_temp.zipf(3, pg_temp.roll(n, 16))]
            when 3 then (array['google', 'bing'])[pg_temp.zipf(2, pg_temp.roll(n, 16))]
            when 4 then 'newsletter'
            when 5 then 'site-' || pg_temp.zipf(300, pg_temp.roll(n, 16)) || '.example'
            when 6 then (array['facebook', 'instagram'])[pg_temp.zipf(2, pg_temp.roll(n, 16))]
            when 7 then (array['facebook.com', 'reddit.com', 't.co', 'pinterest.com'])[pg_temp.zipf(4, pg_temp.roll(n, 16))]
            when 8 then (array['chatgpt.com', 'perplexity.ai', 'gemini.google.com'])[pg_temp.zipf(3, pg_temp.roll(n, 16))]
        end as source,
        (array['organic', null, 'cpc', 'email', 'referral', 'paid_social', 'social', 'referral'])[origin] as medium,
        case
            when origin in (3, 6) then 'campaign-' || pg_temp.zipf(30, pg_temp.roll(n, 17))
            when origin = 4 then 'week-' || to_char(started_at, 'IYYY-IW')
        end as campaign
    from kinds
)

select
    final.*, case when channel is not null then md5(concat_ws('|', channel, source, medium, campaign))::uuid end as source_key
from final;

insert into dim_source (source_key, parameters, channel, source, medium, campaign, is_tagged)
select distinct source_key, '{}'::text[], channel, source, medium, campaign, true from visits where channel is not null;

create index on visits (n);
analyze visits;
