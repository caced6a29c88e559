"""Facts of which whole keys are computed again.

The new rows are computed from the model's SQL and compared with those that stand; what differs is removed and added.
"""

from __future__ import annotations

from psycopg2 import sql

from clickstream_dagster.warehouse import changes
from clickstream_dagster.warehouse.connection import Cursor
from clickstream_dagster.warehouse.models import Model

#: The table's own types, so that a row reads the same here and there.
_COMPUTE = """
create temporary table added_rows (like {table}) on commit drop;
insert into added_rows ({columns}) {select};
"""

#: Most rows of an owed key come out as they stand: a visitor's old days, say. To write those again would bloat the table, and
#: owe its readers what has not changed. Rows are equal when their texts are, byte by byte, since numeric 1.0 equals 1.00 and
#: NULL equals nothing; equal rows are numbered, since a table without a key may hold several. A key that has no rows yet has
#: nothing to be compared with.
_COMPARE = """
create temporary table standing_rows on commit drop as
with standing as materialized (
    select
        {table}.ctid as place, {table}.{key}, {table}::text collate "C" as written,
        row_number() over (partition by {table}::text collate "C") as copy
    from rebuild_keys
    inner join {table} on {table}.{key} = rebuild_keys.{key}
),
fresh as (
    select
        ctid as place, added_rows::text collate "C" as written,
        row_number() over (partition by added_rows::text collate "C") as copy
    from added_rows
    where {key} in (select {key} from standing)
)
select standing.place as standing, fresh.place as fresh
from standing
left join fresh on fresh.written = standing.written and fresh.copy = standing.copy;
"""

#: Added in the order that the SQL gave them: what lies together is read together.
_MOVE = """
create temporary table removed_rows on commit drop as
with removed as (
    delete from {table}
    where ctid = any(array(select standing from standing_rows where fresh is null)) returning *
)
select * from removed;
insert into {table}
select added_rows.* from added_rows
where not exists (select from standing_rows where standing_rows.fresh = added_rows.ctid)
order by added_rows.ctid;
"""


def replace(cursor: Cursor, model: Model) -> int:
    """Compute the owed keys again; how many that were. Leaves `removed_rows` and `added_rows` behind."""
    keys = changes.take_keys(cursor, model)
    if keys:
        names = {
            "table": sql.Identifier(model.name),
            "key": sql.Identifier(str(model.key)),
            "columns": sql.SQL(", ").join(map(sql.Identifier, model.column_names)),
            "select": sql.SQL(model.sql_by_date),
        }
        cursor.execute(sql.SQL(_COMPUTE + _COMPARE + _MOVE).format(**names))
    return keys


def forget_same(cursor: Cursor, model: Model) -> None:
    """Rows that stood already are tested like all others, but they are no change."""
    cursor.execute("delete from added_rows where ctid = any(array(select fresh from standing_rows))")
    changes.owe_readers(cursor, model)
