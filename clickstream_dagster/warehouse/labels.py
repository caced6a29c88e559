"""Labels: what a user agent is (`dim_user_agent`) and where a visit came from (`dim_source`), one row for each distinct value.

An event keeps only the key of what it said. A new value is labelled by the load that brings it; `migrate` labels all of them
anew when the rules or the lists are others, and a load those referrers that turn out to be the shop itself. What gets
another label owes the sessions around its events, so that tables come out as if they had been loaded with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg2.extras import execute_values

from clickstream_dagster.raw.channels import Rules
from clickstream_dagster.raw.rows import Seen
from clickstream_dagster.warehouse import relabel
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import all_models

#: By the table of what was said: its key, what a copy of an event has taught of it, and where an event says it.
_SAID = {
    "dim_source": ("source_key", "source_key", "source_key = dim_source.source_key"),
    "dim_user_agent": ("agent_key", "agent_key", "agent_key = dim_user_agent.agent_key"),
    "shop_hosts": ("host", "shop_host", "page_host = shop_hosts.host and event_name in ('page_view', 'view_product')"),
}


def add(cursor: Cursor, seen: Seen) -> None:
    """Label what these events say for the first time. One load at a time: a host that one of them learns must be known to
    the next."""
    rules = relabel.current_rules(cursor)
    _learn_hosts(cursor, seen.hosts, rules)
    known = _known(cursor, "dim_source", "source_key", seen.origins)
    new = [origin for key, origin in seen.origins.items() if key not in known]
    _insert(cursor, "dim_source", relabel.source_rows(cursor, new, rules))
    known = _known(cursor, "dim_user_agent", "agent_key", seen.agents)
    _insert(
        cursor, "dim_user_agent", (relabel.agent_row(text) for key, text in seen.agents.items() if key not in known)
    )


def forget(cursor: Cursor) -> None:
    """Forget what only events said that are gone (`removed_labels`), as if nobody had."""
    _forget_unsaid(cursor, "dim_source")
    _forget_unsaid(cursor, "dim_user_agent")
    if hosts := _forget_unsaid(cursor, "shop_hosts"):
        relabel.relabel_referrers(cursor, hosts, relabel.current_rules(cursor))


def _forget_unsaid(cursor: Cursor, table: str) -> list[str]:
    """Remove the keys that were taught by what is gone, and that no event has said, nor a copy of one has taught. An event is
    looked for by index, one key after the other: the planner would read all events for a key that it takes for a common one."""
    key, taught, said = _SAID[table]
    cursor.execute(f"""
        set local enable_seqscan = off;
        create temporary table unsaid on commit drop as
        select distinct {table}.{key} from removed_labels
        inner join {table} on {table}.{key} = removed_labels.{taught}
        where (select true from clickstream_events where {said} limit 1) is null;
        set local enable_seqscan to default;
        delete from {table} using unsaid
        where {table}.{key} = unsaid.{key}
            and unsaid.{key} not in (select {taught} from duplicate_events where {taught} is not null)
        returning {table}.{key}::text
        """)
    gone = [said for (said,) in cursor.fetchall()]
    cursor.execute("drop table unsaid")
    return gone


def _learn_hosts(cursor: Cursor, hosts: set[str], rules: Rules) -> None:
    """A host that pages of the shop are served on is no referrer, from its first event on and backwards in time."""
    new = sorted(hosts - relabel.shop_hosts(cursor, hosts))
    if new:
        _insert(cursor, "shop_hosts", ((host,) for host in new))
        relabel.relabel_referrers(cursor, new, rules)


def _known(cursor: Cursor, table: str, key: str, keys: Iterable[str]) -> set[str]:
    cursor.execute(f"select replace({key}::text, '-', '') from {table} where {key} = any(%s::uuid[])", (list(keys),))
    return {found for (found,) in cursor.fetchall()}


def _insert(cursor: Cursor, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Through the stage of the table's own SQL, as everything that is loaded."""
    model = all_models()[table]
    columns = ", ".join(model.column_names)
    cursor.execute(f"create temporary table new_{table} (like {table}) on commit drop")
    execute_values(cursor, f"insert into new_{table} ({columns}) values %s", list(rows), page_size=1_000)
    cursor.execute(f"insert into {table} ({columns}) {model.sql}; drop table new_{table}")
