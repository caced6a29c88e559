"""Bring one table up to date with what has changed, in one transaction.

Every step is the same: take what is owed, compute those rows again from the model's SQL, remove and add what differs,
test them all, and owe the readers of this table the keys of what differs. A crash before the commit leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg2 import sql

from clickstream_dagster.warehouse import changes, runs, sessions, sums
from clickstream_dagster.warehouse.audits import Audit, passed
from clickstream_dagster.warehouse.connection import Connection, Cursor, analyze_if_grown, locked, owning, transaction
from clickstream_dagster.warehouse.models import Model, all_models, sums_of


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: keys (visitors for fact_sessions) it worked on, rows it removed and added, tests it ran."""

    model: str
    keys: int = 0
    removed: int = 0
    added: int = 0
    audits: list[Audit] = field(default_factory=list)


def rebuild(connection: Connection, model: Model) -> Rebuilt:
    """Rebuild what the model is owed. Raises `AuditFailed`, with nothing changed, when a test of the new rows fails."""
    if model.materialized in ("view", "loader"):
        return Rebuilt(model.name)
    with locked(connection, model.name, *_moves_with(model)) as cursor, owning(cursor):
        _check_version(cursor, model)
        if model.materialized == "sum":
            return _rebuild_sum(cursor, model)
        is_cut = model.materialized == "spans"
        keys = sessions.replace(cursor, model) if is_cut else _replace_keys(cursor, model)
        if not keys:
            return Rebuilt(model.name)
        audits = passed(cursor, model, "added_rows")
        if not is_cut:
            _forget_same(cursor, model)
        removed, added = _counts(cursor)
        analyze_if_grown(cursor, model.name, added)
        runs.record(cursor, model.name, keys, removed, added)
        sums.follow(cursor, model)
        return Rebuilt(model.name, keys, removed, added, audits)


def _moves_with(model: Model) -> list[str]:
    """What must stand still while this table changes: a fact's sums move with it, and a sum is computed from its facts."""
    return sorted(model.reads) if model.materialized == "sum" else [reader.name for reader in sums_of(model.name)]


def _rebuild_sum(cursor: Cursor, model: Model) -> Rebuilt:
    keys, removed, added = sums.rebuild(cursor, model)
    if not keys:
        return Rebuilt(model.name)
    audits = passed(cursor, model, model.name)
    analyze_if_grown(cursor, model.name, added)
    runs.record(cursor, model.name, keys, removed, added)
    return Rebuilt(model.name, keys, removed, added, audits)


class OutdatedProcess(RuntimeError):
    """This process runs older SQL than the warehouse was migrated to; the message says what to do."""


def _check_version(cursor: Cursor, model: Model) -> None:
    cursor.execute("select sql_hash from model_versions where model = %s", (model.name,))
    if cursor.fetchone() != (model.sql_hash,):
        raise OutdatedProcess(
            f"The warehouse was migrated to another version of {model.name} since this process started. "
            "Restart it with the version that was deployed last."
        )


def rebuild_all(connection: Connection, on_step: Callable[[Rebuilt], None] = lambda _: None) -> list[Rebuilt]:
    """Rebuild every model that is owed anything, each after those it reads."""
    done = []
    waiting = _waiting(connection)
    for model in all_models().values():
        if model.name in waiting:
            done.append(rebuild(connection, model))
            waiting = _waiting(connection)  # it may have owed its readers
        else:
            done.append(Rebuilt(model.name))
        on_step(done[-1])
    return done


def _waiting(connection: Connection) -> set[str]:
    """Another run's rebuild that has not committed is still owed here: it is waited for, not passed by."""
    with transaction(connection) as cursor:
        return changes.waiting(cursor)


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
select
    {table}.ctid as place, {table}.{key}, {table}::text collate "C" as written,
    row_number() over (partition by {table}::text collate "C") as copy
from rebuild_keys
inner join {table} on {table}.{key} = rebuild_keys.{key};
create temporary table same_rows on commit drop as
with fresh as (
    select
        ctid as place, added_rows::text collate "C" as written,
        row_number() over (partition by added_rows::text collate "C") as copy
    from added_rows
    where {key} in (select {key} from standing_rows)
)
select standing_rows.place as standing, fresh.place as fresh
from standing_rows
inner join fresh on fresh.written = standing_rows.written and fresh.copy = standing_rows.copy;
"""

#: Added in the order that the SQL gave them: what lies together is read together.
_MOVE = """
create temporary table removed_rows on commit drop as
with removed as (
    delete from {table}
    where ctid = any(array(select place from standing_rows except all select standing from same_rows)) returning *
)
select * from removed;
insert into {table}
select added_rows.* from added_rows
where not exists (select from same_rows where same_rows.fresh = added_rows.ctid)
order by added_rows.ctid;
"""


def _replace_keys(cursor: Cursor, model: Model) -> int:
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


def _forget_same(cursor: Cursor, model: Model) -> None:
    """Rows that stood already are tested like all others, but they are no change."""
    cursor.execute("delete from added_rows where ctid = any(array(select fresh from same_rows))")
    changes.owe_readers(cursor, model)


def _counts(cursor: Cursor) -> tuple[int, int]:
    cursor.execute("select (select count(*) from removed_rows), (select count(*) from added_rows)")
    removed, added = cursor.fetchone() or (0, 0)
    return removed, added
