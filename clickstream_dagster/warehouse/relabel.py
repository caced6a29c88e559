"""Labels anew: what is labelled by other rules, other lists or other hosts of the shop than it was. What gets another label owes
the sessions around its events, and its orders, so that tables come out as if they had been loaded with it.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extras import execute_values

from clickstream_dagster.raw import agents, channel_file, channels
from clickstream_dagster.raw.channels import Rules
from clickstream_dagster.raw.sources import Origin
from clickstream_dagster.settings import Settings
from clickstream_dagster.warehouse import changes, first_purchases
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import all_models
from clickstream_dagster.warehouse.rebuild import OutdatedProcess

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


def standing_rules(cursor: Cursor) -> Rules | None:
    """The rules that the tables were labelled with; None where there are none yet."""
    cursor.execute("select to_regclass('label_rules') is not null")
    if cursor.fetchone() != (True,):
        return None
    cursor.execute("select channels, own_hosts from label_rules")
    found = cursor.fetchone()
    return channels.rules(found[0], tuple(found[1])) if found else None


def current_rules(cursor: Cursor) -> Rules:
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
        _relabel(cursor, "dim_user_agent", "agent_key", [agent_row(text) for (text,) in cursor.fetchall()])
    cursor.execute(
        """
        insert into label_rules (channels, own_hosts, channels_version, agents_version) values (%s, %s, %s, %s)
        on conflict (is_only_row) do update
        set channels = excluded.channels, own_hosts = excluded.own_hosts, channels_version = excluded.channels_version,
            agents_version = excluded.agents_version
        """,
        (rules.text, list(rules.own_hosts), rules.version, agents.version()),
    )


def relabel_referrers(cursor: Cursor, hosts: list[str], rules: Rules) -> None:
    """Label the origins anew that name these hosts as their referrer, or an app that stands for one."""
    cursor.execute(
        f"""
        select {_ORIGIN} from dim_source where referrer_host = any(%s)
        union all
        select {_ORIGIN} from dim_source
        cross join lateral split_part(referrer_host, '://', 2) as package
        where referrer_host like 'android-app:%%'
            and (package = any(%s) or split_part(package, '.', 2) || '.' || split_part(package, '.', 1) = any(%s))
        """,
        (hosts, rules.packages(hosts), hosts),
    )
    _relabel_sources(cursor, rules)


def _relabel_sources(cursor: Cursor, rules: Rules) -> None:
    origins = [
        Origin._make((key, *said, tuple(parameters), host)) for key, *said, parameters, host in cursor.fetchall()
    ]
    _relabel(cursor, "dim_source", "source_key", source_rows(cursor, origins, rules))


def _relabel(cursor: Cursor, table: str, key: str, rows: list[tuple[Any, ...]]) -> None:
    """Write the rows that differ from those that stand, and owe what they label: the sessions, and where a purchase is among the
    events, its order, since who told of it may change where it was placed."""
    columns = ", ".join(all_models()[table].column_names)
    cursor.execute(f"create temporary table relabelled_rows (like {table}) on commit drop")
    execute_values(cursor, f"insert into relabelled_rows ({columns}) values %s", rows, page_size=1_000)
    cursor.execute(f"""
        delete from relabelled_rows using {table}
        where {table}.{key} = relabelled_rows.{key} and {table}::text = relabelled_rows::text;
        analyze relabelled_rows;
        create temporary table relabelled_events on commit drop as
        select clickstream_events.visitor_id, clickstream_events.event_timestamp, clickstream_events.order_key
        from relabelled_rows
        inner join clickstream_events on clickstream_events.{key} = relabelled_rows.{key}
        """)
    first_purchases.watch(cursor, "select distinct order_key from relabelled_events where order_key is not null")
    cursor.execute(f"""
        delete from {table} using relabelled_rows where {table}.{key} = relabelled_rows.{key};
        insert into {table} select * from relabelled_rows;
        """)
    changes.owe_spans(cursor, "select visitor_id, event_timestamp from relabelled_events")
    first_purchases.owe(cursor)
    cursor.execute("drop table relabelled_rows, relabelled_events")


def source_rows(cursor: Cursor, origins: list[Origin], rules: Rules) -> list[tuple[Any, ...]]:
    """Rows of `dim_source`, by the hosts that pages of the shop were seen on. Of these no more are read than are asked about: who
    sends events may name any number of hosts."""
    hosts = shop_hosts(cursor, {rules.host(origin.referrer_host) for origin in origins if origin.referrer_host})
    return [
        (*origin[:4], list(origin.parameters), origin.referrer_host, *rules.label(origin, hosts)) for origin in origins
    ]


def agent_row(user_agent: str) -> tuple[Any, ...]:
    """A row of `dim_user_agent`."""
    return (agents.key(user_agent), user_agent[: agents.MAX_AGENT], *agents.label(user_agent))


def shop_hosts(cursor: Cursor, hosts: set[str]) -> set[str]:
    """Those of the hosts that pages of the shop were seen on."""
    cursor.execute("select host from shop_hosts where host = any(%s)", (list(hosts),))
    return {host for (host,) in cursor.fetchall()}
