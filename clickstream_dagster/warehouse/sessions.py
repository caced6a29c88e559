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
    outside the spans moves too: as a row that went, and one that came."""
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
        select * from moved;
        insert into added_rows select * from flagged_rows;
        update flagged_rows set is_new_visitor = not is_new_visitor;
        insert into removed_rows select * from flagged_rows;
        """)


def _owe_readers(cursor: Cursor) -> None:
    # A table may look up the session of an order, and the order's row may stay the same when its session does not.
    cursor.execute("""
        create temporary table touched_orders on commit drop as
        select distinct clickstream_events.order_key
        from rebuild_spans
        inner join clickstream_events
            on clickstream_events.visitor_id = rebuild_spans.visitor_id
            and clickstream_events.event_timestamp between lower(rebuild_spans.span) and upper(rebuild_spans.span)
        where clickstream_events.order_key is not null
        """)
    selects = {
        "session_key": "select session_key from removed_rows union select session_key from added_rows",
        "visitor_id": "select distinct visitor_id from touched_spans",
        "order_id": "select order_key from touched_orders",
    }
    for reader in stored_readers("fact_sessions"):
        if reader.key in selects:
            changes.owe_keys(cursor, reader.name, selects[reader.key])
