"""What migration 0014 cannot do in SQL: events that were loaded before it get the keys of what they said."""

from __future__ import annotations

from psycopg2.extras import execute_values

from clickstream_dagster.raw import agents, sources
from clickstream_dagster.raw.rows import Seen
from clickstream_dagster.warehouse.connection import Cursor

MIGRATION = "0014_labels.sql"


def key_events(cursor: Cursor) -> Seen:
    """Give every event its keys; what is to be labelled comes back."""
    seen = Seen()
    cursor.execute(
        "select distinct page_host from clickstream_events where event_name in ('page_view', 'view_product')"
    )
    seen.hosts = {host for (host,) in cursor.fetchall() if host}
    cursor.execute("select distinct user_agent from clickstream_events where user_agent <> ''")
    seen.agents = {agents.key(text): text for (text,) in cursor.fetchall()}
    cursor.execute("select distinct page_url, referrer from clickstream_events")
    places = [(*place, origin) for place in cursor.fetchall() if (origin := sources.origin(*place))]
    seen.origins = {origin.key: origin for _, _, origin in places}
    cursor.execute("create temporary table keyed_agents (agent_key uuid, user_agent text) on commit drop")
    cursor.execute("create temporary table keyed_pages (source_key uuid, page_url text, referrer text) on commit drop")
    execute_values(cursor, "insert into keyed_agents values %s", seen.agents.items(), page_size=1_000)
    keyed = [(origin.key, url, referrer) for url, referrer, origin in places]
    execute_values(cursor, "insert into keyed_pages values %s", keyed, page_size=1_000)
    cursor.execute("""
        analyze keyed_agents;
        analyze keyed_pages;
        update clickstream_events
        set device_type = events.device ->> 'type', is_automated = coalesce(events.props -> 'webdriver' = 'true'::jsonb, false),
            agent_key = (select agent_key from keyed_agents where user_agent = events.user_agent limit 1),
            source_key = keyed_pages.source_key
        from clickstream_events as events
        left join keyed_pages
            on keyed_pages.page_url is not distinct from events.page_url
            and keyed_pages.referrer is not distinct from events.referrer
        where clickstream_events.event_id = events.event_id
        """)
    # A copy with the payload of its event said the same. What another one said stands in its object alone.
    cursor.execute("""
        update duplicate_events
        set source_key = events.source_key, agent_key = events.agent_key,
            shop_host = case when events.event_name in ('page_view', 'view_product') then events.page_host end
        from clickstream_events as events
        where events.event_id = duplicate_events.event_id and events.payload_hash = duplicate_events.payload_hash
        """)
    return seen
