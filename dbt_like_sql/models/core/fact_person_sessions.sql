-- A view: whose a browser is may change with any of its sessions, and is then right at once for all of them.
select
    fact_sessions.session_key,
    dim_visitor.person_id,
    fact_sessions.visitor_id,
    fact_sessions.user_id,
    fact_sessions.started_at,
    fact_sessions.ended_at,
    fact_sessions.local_date,
    fact_sessions.last_local_date,
    fact_sessions.channel,
    fact_sessions.device_type,
    fact_sessions.country,
    fact_sessions.is_bot,
    fact_sessions.purchase_count,
    fact_sessions.order_count
from fact_sessions
inner join dim_visitor on dim_visitor.visitor_id = fact_sessions.visitor_id
