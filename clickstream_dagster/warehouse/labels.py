"""Labels: what a user agent is (`dim_user_agent`) and where a visit came from (`dim_source`), one row for each distinct value.

An event keeps only the key of what it said. A new value is labelled by the load that brings it; `migrate` labels all of them
anew when the rules or the lists are others, and a load those referrers that turn out to be the shop itself. What gets
another label owes the sessions around its events, so that tables come out as if they had been loaded with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg2.extras import execute_values

from clickstream_dagster.raw import agents, channel_file, channels
from clickstream_dagster.raw.channels import Rules
from clickstream_dagster.raw.rows import Seen
from clickstream_dagster.raw.sources import Origin
from clickstream_dagster.settings import Settings
from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import OutdatedProcess

#: What of an event is a host of the shop.
_SHOP_HOST = "case when event_name in ('page_view', 'view_product') then page_host end"
_ORIGIN = "replace(source_key::text, '-', ''), utm_source, utm_medium, utm_campaign, parameters, referrer_host"


def chosen_rules(settings: Settings) -> Rules:
    """Those of the owner's channels.yml, or of the one that came along."""
    file = settings.channels or channel_file.SHIPPED
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise channel_file.ChannelsUnusable(
            f"CLICKSTREAM_CHANNELS names {file}, which cannot be read: {error}"
        ) from None
    return channels.rules(text, settings.shop_hosts + settings.payment_hosts)


def add(cursor: Cursor, seen: Seen) -> None:
    """Label what these events say for the first time. One load at a time: a host that one of them learns must be known to
    the next."""
    rules = _rules(cursor)
    _learn_hosts(cursor, seen.hosts, rules)
    known = _known(cursor, "dim_source", "source_key", seen.origins)
    hosts = _shop_hosts(cursor)
    origins = (origin for key, origin in seen.origins.items() if key not in known)
    _insert(cursor, "dim_source", (_source_row(origin, rules, hosts) for origin in origins))
    known = _known(cursor, "dim_user_agent", "agent_key", seen.agents)
    _insert(cursor, "dim_user_agent", (_agent_row(text) for key, text in seen.agents.items() if key not in known))


def forget(cursor: Cursor) -> None:
    """Forget what only events said that are gone (`removed_labels`), as if nobody had."""
    _forget_unsaid(cursor, "dim_source", "source_key", "source_key", "source_key")
    _forget_unsaid(cursor, "dim_user_agent", "agent_key", "agent_key", "agent_key")
    if hosts := _forget_unsaid(cursor, "shop_hosts", "host", "shop_host", _SHOP_HOST):
        _relabel_referrers(cursor, hosts, _rules(cursor))


def _forget_unsaid(cursor: Cursor, table: str, key: str, taught: str, said: str) -> list[str]:
    """Remove the keys that were `taught` by what is gone, and that no event has `said`, nor a copy of one has taught."""
    cursor.execute(f"""
        delete from {table} where {key} in (select {taught} from removed_labels)
            and {key} not in (select {said} from clickstream_events where {said} is not null)
            and {key} not in (select {taught} from duplicate_events where {taught} is not null)
        returning {key}::text
        """)
    return [gone for (gone,) in cursor.fetchall()]


def are_new(cursor: Cursor, rules: Rules) -> bool:
    """Are these other rules, or other lists, than those that the tables were labelled with?"""
    cursor.execute("select channels_version, agents_version from label_rules")
    return bool(cursor.fetchone() != (rules.version, agents.version()))


def settle(cursor: Cursor, rules: Rules) -> None:
    """Label everything anew where the rules or the lists are others, and keep the rules for the loads to come."""
    cursor.execute("select channels_version, agents_version from label_rules")
    found = cursor.fetchone() or (None, None)
    if found[0] != rules.version:
        cursor.execute(f"select {_ORIGIN} from dim_source")
        _relabel_sources(cursor, rules)
    if found[1] != agents.version():
        cursor.execute("select user_agent from dim_user_agent")
        _relabel(cursor, "dim_user_agent", "agent_key", [_agent_row(text) for (text,) in cursor.fetchall()])
    cursor.execute(
        """
        insert into label_rules (channels, own_hosts, channels_version, agents_version) values (%s, %s, %s, %s)
        on conflict (is_only_row) do update
        set channels = excluded.channels, own_hosts = excluded.own_hosts, channels_version = excluded.channels_version,
            agents_version = excluded.agents_version
        """,
        (rules.text, list(rules.own_hosts), rules.version, agents.version()),
    )


def _rules(cursor: Cursor) -> Rules:
    """The rules that the warehouse was migrated to, whatever this process was started with."""
    cursor.execute("select channels, own_hosts, channels_version, agents_version from label_rules")
    text, own_hosts, *versions = cursor.fetchone()  # type: ignore[misc]
    rules = channels.rules(text, tuple(own_hosts))
    if versions != [rules.version, agents.version()]:
        raise OutdatedProcess(
            "The warehouse was migrated to other lists of user agents or referrers since this process started. "
            "Restart it with the version that was deployed last."
        )
    return rules


def _learn_hosts(cursor: Cursor, hosts: set[str], rules: Rules) -> None:
    """A host that pages of the shop are served on is no referrer, from its first event on and backwards in time."""
    new = sorted(hosts - _shop_hosts(cursor))
    if new:
        _insert(cursor, "shop_hosts", ((host,) for host in new))
        _relabel_referrers(cursor, new, rules)


def _relabel_referrers(cursor: Cursor, hosts: list[str], rules: Rules) -> None:
    cursor.execute(
        f"select {_ORIGIN} from dim_source where referrer_host = any(%s) or referrer_host like 'android-app:%%'",
        (hosts,),
    )
    _relabel_sources(cursor, rules)


def _relabel_sources(cursor: Cursor, rules: Rules) -> None:
    origins = [
        Origin._make((key, *said, tuple(parameters), host)) for key, *said, parameters, host in cursor.fetchall()
    ]
    hosts = _shop_hosts(cursor)
    _relabel(cursor, "dim_source", "source_key", [_source_row(origin, rules, hosts) for origin in origins])


def _relabel(cursor: Cursor, table: str, key: str, rows: list[tuple[Any, ...]]) -> None:
    """Write the rows that differ from those that stand, and owe the sessions that they label."""
    columns = ", ".join(all_models()[table].column_names)
    cursor.execute(f"create temporary table relabelled_rows (like {table}) on commit drop")
    execute_values(cursor, f"insert into relabelled_rows ({columns}) values %s", rows, page_size=1_000)
    cursor.execute(f"""
        delete from relabelled_rows using {table}
        where {table}.{key} = relabelled_rows.{key} and {table}::text = relabelled_rows::text;
        analyze relabelled_rows;
        delete from {table} using relabelled_rows where {table}.{key} = relabelled_rows.{key};
        insert into {table} select * from relabelled_rows;
        """)
    changes.owe_spans(
        cursor,
        f"""
        select clickstream_events.visitor_id, clickstream_events.event_timestamp from relabelled_rows
        inner join clickstream_events on clickstream_events.{key} = relabelled_rows.{key}
        """,
    )
    cursor.execute("drop table relabelled_rows")


def _source_row(origin: Origin, rules: Rules, shop_hosts: set[str]) -> tuple[Any, ...]:
    return (*origin[:4], list(origin.parameters), origin.referrer_host, *rules.label(origin, shop_hosts))


def _agent_row(user_agent: str) -> tuple[Any, ...]:
    return (agents.key(user_agent), user_agent[: agents.MAX_AGENT], *agents.label(user_agent))


def _known(cursor: Cursor, table: str, key: str, keys: Iterable[str]) -> set[str]:
    cursor.execute(f"select replace({key}::text, '-', '') from {table} where {key} = any(%s::uuid[])", (list(keys),))
    return {found for (found,) in cursor.fetchall()}


def _shop_hosts(cursor: Cursor) -> set[str]:
    cursor.execute("select host from shop_hosts")
    return {host for (host,) in cursor.fetchall()}


def _insert(cursor: Cursor, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Through the stage of the table's own SQL, as everything that is loaded."""
    model = all_models()[table]
    columns = ", ".join(model.column_names)
    cursor.execute(f"create temporary table new_{table} (like {table}) on commit drop")
    execute_values(cursor, f"insert into new_{table} ({columns}) values %s", list(rows), page_size=1_000)
    cursor.execute(f"insert into {table} ({columns}) {model.sql}; drop table new_{table}")
