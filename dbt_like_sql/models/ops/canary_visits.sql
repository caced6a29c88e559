-- Each event is looked up by its own words, through an index of test visits alone: whatever strangers send, a visit costs its steps.
with

final as (
    select
        canary_notes.name,
        canary_notes.sent_at,
        canary_notes.answer,
        cardinality(canary_notes.steps) as expected,
        arrival.events::integer as arrived,
        arrival.arrived_at,
        case
            when arrival.events = cardinality(canary_notes.steps) then
                case when arrival.arrived_at <= canary_notes.sent_at + interval '2 hours' then 'arrived' else 'late' end
            when now() <= canary_notes.sent_at + interval '2 hours' then 'on its way'
            else 'missing'
        end as outcome
    from canary_notes
    cross join lateral (
        select count(first_copy.loaded_at) as events, max(first_copy.loaded_at) as arrived_at
        from unnest(canary_notes.steps) as step (name)
        left join lateral (
            select min(raw_objects.loaded_at) as loaded_at
            from rejected_events
            inner join raw_objects
                on raw_objects.object_key = rejected_events.object_key
                and raw_objects.content_hash = rejected_events.content_hash
            where rejected_events.code = 'canary' and rejected_events.message = canary_notes.name || ' ' || step.name
        ) as first_copy on true
    ) as arrival
)

select * from final
