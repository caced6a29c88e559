-- Funnels of any steps. The table is derived: it is new, so all of its keys are owed, and the next run fills it.

alter table shop_settings add column step_events_limit integer not null default 1000;
alter table shop_settings alter column step_events_limit drop default;

create table fact_session_steps (
    session_key uuid not null,
    event_name text not null,
    visitor_id text not null,
    local_date date not null,
    channel text not null,
    device_type text not null,
    country text not null,
    is_bot boolean not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    times timestamptz[] not null,
    pages text[] not null,
    categories text[] not null,
    is_limit_reached boolean not null
);
create index fact_session_steps_session on fact_session_steps (session_key);
-- All that the first step of a funnel in a session needs. Not the visitor: an index row holds 2,704 bytes, and theirs may be longer.
create index fact_session_steps_name on fact_session_steps (event_name, local_date)
include (session_key, first_at, last_at, is_bot, channel, device_type, country);

create table funnels (
    funnel text primary key,
    place integer not null,
    label text not null,
    steps jsonb not null,
    unit text not null,
    within interval
);
comment on table funnels is 'The funnels of funnels.yml. Written by migrate only.';

-- How far a unit comes, and by which of its events. They are given step after step, of each step in the order of time: `times`,
-- and the step of each in `steps`. `after[k]` is the latest earlier step that an event of step k may be of as well, or 0.
-- Each event of the first step is tried in turn; the first one that comes furthest counts. What a step has passed by no later
-- entry can need, so that each event is looked at once.
create function funnel_chain(times timestamptz[], steps integer[], after integer[], within interval) returns integer[]
language plpgsql immutable parallel safe as $$
declare
    total integer := cardinality(times);
    length integer := cardinality(after);
    waiting integer[] := array_fill(0, array[length]);
    chain integer[];
    best integer[] := '{}';
    i integer;
begin
    for step in 1..length loop
        waiting[step] := coalesce(array_position(steps, step), total + 1);
    end loop;
    for entry in waiting[1]..total loop
        exit when steps[entry] <> 1;
        chain := array[entry];
        for step in 2..length loop
            i := waiting[step];
            while steps[i] = step
                and (times[i] < times[chain[step - 1]] or (after[step] > 0 and times[i] <= times[chain[after[step]]]))
            loop
                i := i + 1;
            end loop;
            waiting[step] := i;
            exit when steps[i] is distinct from step or times[i] > times[entry] + within;
            chain := chain || i;
        end loop;
        if cardinality(chain) > cardinality(best) then
            best := chain;
        end if;
        exit when within is null or cardinality(best) = length;
    end loop;
    return best;
end
$$;

-- The pattern of LIKE for a path in which only * has a meaning.
create function funnel_like(page text) returns text
language sql immutable strict parallel safe
return replace(regexp_replace(page, '([\\%_])', '\\\1', 'g'), '*', '%');

-- Of each step the latest earlier one that an event may be of as well: of two such steps the later one counts after the
-- earlier, not at the same time, so that no event serves both.
create function funnel_after(steps jsonb) returns integer[]
language sql immutable parallel safe
begin atomic
    with named as (
        select
            place::integer as place,
            step ->> 'page' as page,
            split_part(step ->> 'page', '*', 1) as beginning,
            case
                when step ->> 'event' is not null then array[step ->> 'event']
                when step ->> 'page' is not null then array['page_view', 'view_product']
                else array['view_product']
            end as events
        from jsonb_array_elements(steps) with ordinality as listed (step, place)
    ),
    pairs as (
        select named.place, max(earlier.place) as after
        from named
        left join named as earlier
            on earlier.place < named.place
            and earlier.events && named.events
            and (
                earlier.page is null or named.page is null or earlier.page = named.page
                or (
                    (earlier.page like '%*%' or named.page like '%*%')
                    and (starts_with(earlier.beginning, named.beginning) or starts_with(named.beginning, earlier.beginning))
                )
            )
        group by named.place
    )
    select array_agg(coalesce(after, 0) order by place) from pairs;
end;

-- How many units come how far: a row for each value of the breakdown and each step, with the units that reach it and the median
-- of the seconds from the step before; none where nobody enters. docs/metrics.md, "Funnels of your own", says what counts.
-- `unit` is session, visitor or person; `breakdown` channel, device_type or country; without `within` all steps lie in one
-- session. What a funnel names is bound, and never a part of the statement that is put together here.
create function funnel(
    steps jsonb, first_date date, last_date date, unit text default 'session', within interval default null,
    breakdown text default null, bots boolean default false, channels text[] default null, devices text[] default null,
    countries text[] default null
) returns table (value text, step integer, units bigint, median_seconds double precision)
language plpgsql stable parallel safe
-- No plan may go through two lists by turns: what a funnel finds cannot be known beforehand, and is often guessed as one row.
set enable_nestloop = off set jit = off set work_mem = '64MB'
as $$
declare
    length constant integer := jsonb_array_length(steps);
    after constant integer[] := funnel_after(steps);
    is_in_session constant boolean := within is null or unit = 'session';
    -- Whose events make a chain, and who is counted.
    person constant text := 'coalesce(people.person_id, f.visitor_id)';
    scope constant text := case when is_in_session then 'f.session_key' when unit = 'visitor' then 'f.visitor_id' else person end;
    counted constant text := case when unit = 'session' then 'f.session_key' when unit = 'visitor' then 'f.visitor_id' else person end;
    people constant text := case when unit = 'person' then ' left join dim_visitor as people on people.visitor_id = f.visitor_id' else '' end;
    step_given text;
    narrowed text;
    is_one_row boolean;
    earlier text := 't1';
    in_order text;
    found text := '';
    marks text := '';
    reached text := 'reach_2.t1';
    joined text := '';
    swept text := '';
begin
    if length not between 2 and 8 then
        raise exception using errcode = 'invalid_parameter_value', message = 'A funnel has from two steps to eight.';
    end if;
    if unit not in ('session', 'visitor', 'person') then
        raise exception using errcode = 'invalid_parameter_value', message = 'The unit of a funnel is session, visitor or person.';
    end if;
    if breakdown not in ('channel', 'device_type', 'country') then
        raise exception using errcode = 'invalid_parameter_value', message = 'A funnel is broken down by channel, device_type or country.';
    end if;
    for place in 1..length loop
        -- A session has one row for each event name, and so nothing to group.
        is_one_row := is_in_session and (steps -> (place - 1) ? 'event' or not steps -> (place - 1) ? 'page');
        step_given := format('$1 -> %s ->> ', place - 1);
        narrowed := concat_ws(
            ' and ',
            case when steps -> (place - 1) ->> 'page' is not null then format('page like funnel_like(%s''page'')', step_given) end,
            case
                when steps -> (place - 1) ->> 'category' is not null
                    then format('%s''category'' = any(string_to_array(named, E''\n''))', step_given)
            end
        );
        found := found || format(
            $sql$ step_%s as not materialized (
                select
                    %s as scope, %s as unit, %s as value, told.first_at, told.last_at, told.times
                from fact_session_steps as f%s
                cross join lateral (select %s) as told
                where %s and f.local_date between $2 and %s and ($4 or not f.is_bot) and told.last_at is not null%s
            ),$sql$,
            place, scope, counted, coalesce('f.' || breakdown, '''all'''), people,
            case
                when narrowed = '' then 'f.first_at, f.last_at, f.times'
                else format(
                    $sql$
                    min(at) as first_at, max(at) as last_at, array_agg(at order by at) as times
                    from unnest(f.times, f.pages, f.categories) as one (at, page, named) where %s$sql$, narrowed
                )
            end,
            case
                when steps -> (place - 1) ->> 'event' is not null then format('f.event_name = %s''event''', step_given)
                when steps -> (place - 1) ->> 'page' is not null then 'f.event_name in (''page_view'', ''view_product'')'
                else 'f.event_name = ''view_product'''
            end,
            case
                when place = 1 or is_in_session then '$3'
                else '(select ((last_at + $8) at time zone timezone)::date from horizon cross join shop_settings)'
            end,
            case when place = 1 then $sql$
                and ($5 is null or f.channel = any($5)) and ($6 is null or f.device_type = any($6))
                and ($7 is null or f.country = any($7))$sql$ else '' end
        );
        if place = 1 then
            found := found || format(
                $sql$ horizon as materialized (select max(last_at) as last_at from step_1),
                reach_1 as materialized (
                    select scope, %s as unit, %s as value, %s as t1 from step_1%s
                ),$sql$,
                case when scope = counted then 'scope' else 'unit' end,
                case
                    when breakdown is null then '''all'''
                    when is_one_row then 'value'
                    when is_in_session then 'min(value)'
                    else '(array_agg(value order by first_at, value))[1]'
                end,
                case when is_one_row then 'first_at' else 'min(first_at)' end,
                case when is_one_row then '' when scope = counted then ' group by scope' else ' group by scope, unit' end
            );
        else
            -- From the first event of the first step on, each next step at its earliest.
            in_order := format('at >= t%s', place - 1) || case when after[place] > 0 then format(' and at > t%s', after[place]) else '' end;
            found := found || format(
                $sql$ reach_%1$s as materialized (
                    select * from (
                        select
                            reach_%2$s.scope, %3$s,
                            %6$s(case
                                when %4$s then step.first_at
                                else (select min(at) from unnest(step.times) as at where %5$s)
                            end) as t%1$s
                        from reach_%2$s
                        inner join step_%1$s as step on step.scope = reach_%2$s.scope
                        where step.last_at >= t%2$s
                        %7$s
                    ) as next where t%1$s is not null
                ),$sql$,
                place, place - 1, earlier, replace(in_order, 'at ', 'step.first_at '), in_order,
                case when is_one_row then '' else 'min' end,
                case when is_one_row then '' else format('group by reach_%s.scope, %s', place - 1, earlier) end
            );
            earlier := format('%s, t%s', earlier, place);
        end if;
        if place > 1 then
            reached := reached || format(', reach_%s.t%s', place, place);
            joined := joined || case when place = 2 then 'reach_2' else format(' left join reach_%s using (scope)', place) end;
        end if;
        marks := marks || case when place > 1 then ' union all ' else '' end || format(
            'select scope, %s as step, value, unnest(times) as at from step_%s where scope in (select scope from late)', place, place
        );
    end loop;
    if within is not null then
        swept := format(
            $sql$
            late as materialized (select scope from chains where times[cardinality(times)] > times[1] + $8),
            marks as (%s),
            swept as materialized (
                select
                    scope, shown[chain[1]] as value,
                    array(select listed.times[place] from unnest(chain) with ordinality as own (place, step) order by step) as times
                from (
                    select
                        scope, array_agg(at order by step, at, value) as times, array_agg(step order by step, at, value) as steps,
                        array_agg(value order by step, at, value) as shown
                    from marks group by scope
                ) as listed
                cross join lateral funnel_chain(listed.times, listed.steps, $10, $8) as one (chain)
            ),$sql$, marks
        );
    end if;
    return query execute 'with' || found || format(
        $sql$
        chains as materialized (select scope, array_remove(array[%s], null) as times from %s),%s
        reached as (
            select
                reach_1.unit, %s as value, coalesce(%s chains.times, array[reach_1.t1]) as times
            from reach_1 left join chains on chains.scope = reach_1.scope%s
        ),
        counted as (%s),
        totals as materialized (
            select value, 1 as step, count(*) as units, null::double precision as median_seconds from counted group by value
            union all
            select
                value, step, count(*),
                percentile_cont(0.5) within group (order by extract(epoch from times[step] - times[step - 1]))
            from counted cross join generate_series(2, $9) as step
            where cardinality(times) > 1 and step <= cardinality(times)
            group by value, step
        )
        select entered.value, step, coalesce(totals.units, 0), totals.median_seconds
        from (select totals.value from totals where totals.step = 1) as entered
        cross join generate_series(1, $9) as step
        left join totals using (value, step)
        order by entered.value, step
        $sql$,
        reached, joined, swept,
        case when swept = '' then 'reach_1.value' else 'coalesce(swept.value, reach_1.value)' end,
        case when swept = '' then '' else 'swept.times, ' end,
        case when swept = '' then '' else ' left join swept on swept.scope = reach_1.scope' end,
        case
            when scope = counted then 'select * from reached'
            else 'select distinct on (reached.unit) * from reached order by reached.unit, cardinality(times) desc, times, value'
        end
    ) using steps, first_date, last_date, bots, channels, devices, countries, within, length, after;
end
$$;
comment on function funnel is 'How many sessions, visitors or people come how far through steps in order: docs/metrics.md.';
