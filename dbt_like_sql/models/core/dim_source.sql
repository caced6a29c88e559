-- The distinct origins that a load brings, labelled by the rules of channels.yml (warehouse/labels.py).
with

final as (
    select
        source_key, utm_source, utm_medium, utm_campaign, parameters, referrer_host, channel, source, medium, campaign, is_tagged
    from new_dim_source
)

select * from final
