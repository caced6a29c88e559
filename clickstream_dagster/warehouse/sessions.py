"""Sessions, exact and incremental.

New events can only extend or join sessions that they touch. So the spans to cut again are the events' times widened by the
gap, and by the sessions that overlap them; everything outside keeps its cut. Why one widening is enough: two sessions that
stand lie more than a gap apart, so a third can join the new one only through a new event, within a gap of it.
"""

from __future__ import annotations

from psycopg2 import sql

from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model, stored_readers


def replace(cursor: Cursor, model: Model) -> int:
    """Cut the owed spans again; how many visitors that were. Leaves `removed_rows` and `added_rows` behind."""
    visitors = _take_spans(cursor)
    if visitors:
        _replace_rows(cursor, model)
        _move_first_flags(cursor)
        _owe_readers(cursor)
    return visitors


def _take_spans(cursor: Cursor) -> int:
    cursor.execute("""
        create temporary table touched_spans on commit drop as
        with taken as (delete from changed_spans returning visitor_id, spans)
        select visitor_id, range_agg(spans) as spans from taken group by visitor_id
        """)
    cursor.execute("analyze touched_spans")
    cursor.execute("""
        create temporary table rebuild_spans on commit drop as
        with widened as (
            select visitor_id, unnest(spans) as span from touched_spans
            union all
            select touched_spans.visitor_id, tstzrange(fact_sessions.started_at, fact_sessions.ended_at, '[]')
            from touched_spans
            inner join fact_sessions
                on fact_sessions.visitor_id = touched_spans.visitor_id
                and fact_sessions.ended_at >= lower(touched_spans.spans)
                and fact_sessions.started_at <= upper(touched_spans.spans)
            where tstzrange(fact_sessions.started_at, fact_sessions.ended_at, '[]') && touched_spans.spans
        )
        select visitor_id, unnest(range_agg(span)) as span from widened group by visitor_id
        """)
    cursor.execute("analyze rebuild_spans")
    cursor.execute("select count(*) from touched_spans")
    return int(cursor.fetchone()[0])  # type: ignore[index]


def _replace_rows(cursor: Cursor, model: Model) -> None:
    cursor.execute("""
        create temporary table removed_rows on commit drop as
        with removed as (
            delete from fact_sessions using rebuild_spans
            where fact_sessions.visitor_id = rebuild_spans.visitor_id
                and fact_sessions.started_at between lower(rebuild_spans.span) and upper(rebuild_spans.span)
            returning fact_sessions.*
        )
        select * from removed
        """)
    cursor.execute(
        sql.SQL("""
        create temporary table added_rows on commit drop as
        with added as (insert into fact_sessions ({columns}) {select} returning *)
        select * from added
        """).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, model.column_names)), select=sql.SQL(model.sql_by_date)
        )
    )


def _move_first_flags(cursor: Cursor) -> None:
    """A late event can make an earlier session a visitor's first, and a moved event can unmake it: the flag of a session
    outside the spans moves too, and its dates are owed like any other change."""
    cursor.execute("""
        create temporary table flagged_rows on commit drop as
        with firsts as (
            select touched_spans.visitor_id, first.started_at
            from touched_spans
            cross join lateral (
                select min(started_at) as started_at from fact_sessions
                where fact_sessions.visitor_id = touched_spans.visitor_id
            ) as first
        ),
        moved as (
            update fact_sessions set is_new_visitor = not is_new_visitor
            from firsts
            where fact_sessions.visitor_id = firsts.visitor_id
                and (
                    (fact_sessions.is_new_visitor and fact_sessions.started_at > firsts.started_at)
                    or (not fact_sessions.is_new_visitor and fact_sessions.started_at = firsts.started_at)
                )
            returning fact_sessions.*
        )
        select * from moved
        """)


def _owe_readers(cursor: Cursor) -> None:
    cursor.execute("""
        create temporary table touched_rows on commit drop as
        select * from removed_rows union all select * from added_rows union all select * from flagged_rows
        """)
    # A daily table may look up the session of an order: it counts on the order's own date, and the order's row may stay
    # the same when its session does not.
    cursor.execute("""
        create temporary table touched_orders on commit drop as
        select distinct
            clickstream_events.order_key,
            (clickstream_events.event_timestamp at time zone shop_settings.timezone)::date as local_date
        from rebuild_spans
        inner join clickstream_events
            on clickstream_events.visitor_id = rebuild_spans.visitor_id
            and clickstream_events.event_timestamp between lower(rebuild_spans.span) and upper(rebuild_spans.span)
        cross join shop_settings
        where clickstream_events.order_key is not null
        """)
    selects = {
        "local_date": "select local_date from touched_rows union select local_date from touched_orders",
        "visitor_id": "select distinct visitor_id from touched_spans",
        "order_id": "select distinct order_key from touched_orders",
    }
    for reader in stored_readers("fact_sessions"):
        if reader.key in selects:
            changes.owe_keys(cursor, reader.name, selects[reader.key])
    _owe_presence(cursor)


def _owe_presence(cursor: Cursor) -> None:
    """A session over several days is a visit on each of them. Only the days that it has won or lost are owed: a session
    that never ends must not make every hour rebuild every day."""
    days = "generate_series(local_date, last_local_date, interval '1 day')::date as local_date"
    presence = f"select visitor_id, is_bot, {days} from"
    before, after = f"{presence} removed_rows", f"{presence} added_rows"
    changes.owe_keys(
        cursor,
        "agg_daily_traffic",
        f"select distinct local_date from ((({before}) except ({after})) union (({after}) except ({before}))) as moved",
    )
