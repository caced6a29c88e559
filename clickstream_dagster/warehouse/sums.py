"""Tables that are sums over facts.

When rows of a fact go and come, a sum over it changes by the same SQL over the rows that came, minus the same SQL over the rows
that went: in the transaction of the fact, so that at every commit the table is its SQL over the whole facts. The work grows with
what changed, whatever the size of the day that it falls on.

For that, a sum's SQL must be linear: each row of the result is a sum over rows of facts, which are joined with nothing but
`shop_settings`, and several facts stand beside each other under a `union all`. `row_count` is how many rows stand behind a row.

Facts that expire leave their sums as they are: what they had added goes to the tables of `kept.py`. So at every commit a sum is
its SQL over the whole facts, plus what is kept; and a row with nothing but zeros is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from psycopg2 import sql

from clickstream_dagster.warehouse import changes, kept, runs
from clickstream_dagster.warehouse.audits import check, failures_of, tests_of
from clickstream_dagster.warehouse.connection import Cursor, analyze_if_grown
from clickstream_dagster.warehouse.models import Model, sums_of

_NOTHING = sql.SQL("select * from {fact} where false")

#: What is to be added to each row of the grain, and where that row stands: found by index, one row after the other. The
#: grain has the table's own types, since the hash goes by them. One statement: there are a dozen of these in each tick, and
#: a temporary table between two of them would cost more than what it holds.
_MOVE = """
with delta as materialized (
    select {grain}, {added_up}
    from (
        select 1 as change, came.* from ({came}) as came
        union all
        select -1 as change, gone.* from ({gone}) as gone
    ) as moved
    group by {grouped}
    having {is_any}
),
placed as materialized (
    select standing.*, delta.*
    from delta
    left join lateral (
        select {table}.ctid as place, coalesce({is_nothing_left}, false) as is_nothing from {table}
        where {hash_there} = {hash_here} and {same_grain}
        limit 1
    ) as standing on true
),
gone as (
    delete from {table} where ctid = any(array(select place from placed where is_nothing)) returning 1
),
changed as (
    update {table} set {moved} from placed
    where {table}.ctid = placed.place and not placed.is_nothing
        and {table}.ctid = any(array(select place from placed))
    returning 1
),
came as (
    insert into {table} ({columns}) select {columns} from placed where place is null order by local_date returning 1
)
select (select count(*) from gone), (select count(*) from changed), (select count(*) from came), {failures}
from placed as r
"""

#: A sum's rows computed again, with what is kept of rows that have expired.
_FILL = """
insert into {table} ({columns})
select {grain}, {added_up}
from (
    select 1 as change, computed.* from ({computed}) as computed
    union all
    select 1 as change, {columns} from {kept} as kept
) as moved
group by {grouped}
having {is_any}
order by local_date
"""


def follow(cursor: Cursor, fact: Model) -> None:
    """Move the sums over `fact` by what its rebuild has moved: the tables `removed_rows` and `added_rows`.

    Raises `AuditFailed`, with nothing changed, when a test of the moved rows fails.
    """
    sums = sums_of(fact.name)
    owed_anew = _owed_everything(cursor, sums)
    for model in sums:
        if model.name not in owed_anew:
            came, gone = ({fact.name: sql.Identifier(rows)} for rows in ("added_rows", "removed_rows"))
            _move(cursor, model, came, gone)


def keep(cursor: Cursor, fact: Model) -> None:
    """The same where rows expire: the sums over `fact` stand still, and what they would have moved by is kept."""
    for model in sums_of(fact.name):
        came, gone = ({fact.name: sql.Identifier(rows)} for rows in ("removed_rows", "added_rows"))
        queries = {"came": _over_rows(model, came), "gone": _over_rows(model, gone), "failures": failures_of([])}
        cursor.execute(_filled(_MOVE, model, table=kept.table(model), **queries))


def rebuild(cursor: Cursor, model: Model) -> tuple[int, int, int]:
    """Compute again what the sum is owed, from its facts: all of it or some dates. Keys, rows removed, rows added."""
    keys = changes.take(cursor, model.name)
    if changes.EVERYTHING in keys:
        cursor.execute(_filled("delete from {table}", model))
        removed = cursor.rowcount
        cursor.execute(_filled(_FILL, model, computed=sql.SQL(model.sql), kept=kept.table(model)))
        return len(keys), removed, cursor.rowcount
    dates = [date.fromisoformat(key) for key in keys]
    if not dates:
        return 0, 0, 0
    cursor.execute(_filled("delete from {table} where local_date = any(%s)", model), (dates,))
    removed = cursor.rowcount
    of_dates = sql.SQL("select * from {fact} where local_date = any({dates})")
    facts = {name: of_dates.format(fact=sql.Identifier(name), dates=sql.Literal(dates)) for name in sorted(model.reads)}
    kept_rows = sql.SQL("({})").format(of_dates.format(fact=kept.table(model), dates=sql.Literal(dates)))
    cursor.execute(_filled(_FILL, model, computed=_over(model, facts), kept=kept_rows))
    return len(keys), removed, cursor.rowcount


def _move(cursor: Cursor, model: Model, came: Mapping[str, sql.Identifier], gone: Mapping[str, sql.Identifier]) -> None:
    asked = tests_of(model)
    queries = {"came": _over_rows(model, came), "gone": _over_rows(model, gone), "failures": failures_of(asked)}
    cursor.execute(_filled(_MOVE, model, **queries))
    removed, changed, added, *failures = cursor.fetchone() or ()
    check(model, asked, failures)
    if removed or changed or added:
        analyze_if_grown(cursor, model.name, added)
        runs.record(cursor, model.name, removed + changed + added, removed + changed, changed + added)


def _over_rows(model: Model, rows: Mapping[str, sql.Identifier]) -> sql.Composed:
    """The sum's SQL over some rows of one fact, and none of its others."""
    facts = {
        name: sql.SQL("select * from {}").format(rows[name])
        if name in rows
        else _NOTHING.format(fact=sql.Identifier(name))
        for name in sorted(model.reads)
    }
    return _over(model, facts)


def _over(model: Model, facts: Mapping[str, sql.Composable]) -> sql.Composed:
    """The sum's SQL, as it stands, with each fact's name hidden by a query of that name."""
    hiding = [sql.SQL("{} as ({})").format(sql.Identifier(name), query) for name, query in facts.items()]
    return sql.SQL("with {} select * from ({}) as model order by local_date").format(
        sql.SQL(", ").join(hiding), sql.SQL(model.sql)
    )


def _filled(statement: str, model: Model, **queries: sql.Composable) -> sql.Composed:
    """`table` is the sum's own, unless it is among the queries."""
    table = queries.pop("table", sql.Identifier(model.name))
    measures = [(sql.Identifier(column.name), column.data_type == "numeric") for column in model.measures]

    def each(template: str, names: tuple[str, ...], separator: str = ", ") -> sql.Composed:
        parts = [sql.SQL(template).format(name=sql.Identifier(name), table=table) for name in names]
        return sql.SQL(separator).join(parts)

    def trimmed(is_numeric: bool, amount: sql.Composed) -> sql.Composed:
        """Sums of `numeric` keep the digits of what went; the same amount must be the same bytes."""
        return sql.SQL("exact_amount({})").format(amount) if is_numeric else amount

    added_up = [
        trimmed(is_numeric, sql.SQL("sum(change * {})").format(name)) + sql.SQL(" as ") + name
        for name, is_numeric in measures
    ]
    moved = [
        sql.SQL("{name} = {amount}").format(
            name=name, amount=trimmed(is_numeric, sql.SQL("{}.{} + placed.{}").format(table, name, name))
        )
        for name, is_numeric in measures
    ]
    nothing_left = [sql.SQL("{}.{} + delta.{} = 0").format(table, name, name) for name, _ in measures]
    return sql.SQL(statement).format(
        table=table,
        is_nothing_left=sql.SQL(" and ").join(nothing_left),
        columns=each("{name}", (*model.grain, *(column.name for column in model.measures))),
        grain=sql.SQL(", ").join(_typed(model, name) for name in model.grain),
        grouped=each("moved.{name}", model.grain),
        added_up=sql.SQL(", ").join(added_up),
        is_any=sql.SQL(" or ").join(sql.SQL("sum(change * {}) <> 0").format(name) for name, _ in measures),
        moved=sql.SQL(", ").join(moved),
        same_grain=each("{table}.{name} = delta.{name}", model.grain, " and "),
        hash_there=sql.SQL("hash_record_extended(row({}), 0)").format(each("{table}.{name}", model.grain)),
        hash_here=sql.SQL("hash_record_extended(row({}), 0)").format(each("delta.{name}", model.grain)),
        **queries,
    )


def _typed(model: Model, name: str) -> sql.Composed:
    data_type = next(column.data_type for column in model.columns if column.name == name)
    return sql.SQL("moved.{name}::{type} as {name}").format(name=sql.Identifier(name), type=sql.SQL(data_type))


def _owed_everything(cursor: Cursor, sums: list[Model]) -> set[str]:
    names = [model.name for model in sums]
    cursor.execute("select model from changed_keys where model = any(%s) and key = %s", (names, changes.EVERYTHING))
    return {name for (name,) in cursor.fetchall()}
