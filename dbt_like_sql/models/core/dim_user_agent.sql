-- The distinct user agents that a load brings, labelled by lists that others keep (warehouse/labels.py).
with

final as (
    select agent_key, user_agent, kind, device_type, browser, operating_system from new_dim_user_agent
)

select * from final
