"""Bring one table up to date with what has changed, in one transaction.

Every step is the same: take what is owed, compute those rows again from the model's SQL, remove and add what differs,
test them all, and owe the readers of this table the keys of what differs. A crash before the commit leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from clickstream_dagster.warehouse import changes, keyed, runs, sessions, sums
from clickstream_dagster.warehouse.audits import Audit, passed
from clickstream_dagster.warehouse.connection import (
    Connection,
    Cursor,
    analyze_if_grown,
    commit_unwaited,
    locked,
    owning,
    transaction,
)
from clickstream_dagster.warehouse.hands import Hands
from clickstream_dagster.warehouse.models import Model, all_models, moves_with

#: What becomes of the sums over a fact when its rows have moved.
Follow = Callable[[Cursor, Model], None]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: keys (visitors for fact_sessions) it worked on, rows it removed and added, tests it ran."""

    model: str
    keys: int = 0
    removed: int = 0
    added: int = 0
    audits: list[Audit] = field(default_factory=list)


def rebuild(connection: Connection, model: Model, follow: Follow = sums.follow) -> Rebuilt:
    """Rebuild what the model is owed, and have its sums `follow`. Raises `AuditFailed`, with nothing changed, when a test of the
    new rows fails."""
    if model.materialized in ("view", "loader"):
        return Rebuilt(model.name)
    with locked(connection, model.name, *moves_with(model)) as cursor, owning(cursor):
        commit_unwaited(cursor)
        _check_version(cursor, model)
        if model.materialized == "sum":
            return _rebuild_sum(cursor, model)
        is_cut = model.materialized == "spans"
        keys = (sessions if is_cut else keyed).replace(cursor, model)
        if not keys:
            return Rebuilt(model.name)
        audits = passed(cursor, model, "added_rows")
        if not is_cut:
            keyed.forget_same(cursor, model)
        removed, added = _counts(cursor)
        analyze_if_grown(cursor, model.name, added)
        runs.record(cursor, model.name, keys, removed, added)
        if removed or added:
            follow(cursor, model)
        return Rebuilt(model.name, keys, removed, added, audits)


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
    """Rebuild every model that is owed anything, each after those it reads; two at a time where they allow it."""
    models = all_models()
    done: dict[str, Rebuilt] = {}

    def note(rebuilt: Rebuilt) -> None:
        done[rebuilt.model] = rebuilt
        on_step(rebuilt)

    owed = _waiting(connection)
    with Hands(connection, _rebuild_and_ask) as hands:
        while len(done) < len(models):
            for model in models.values():
                if model.name not in done and model.reads <= done.keys():
                    if model.name in owed:
                        hands.begin(model)
                    else:
                        note(Rebuilt(model.name))
            for rebuilt, owed_since in hands.finished():
                owed |= owed_since  # it may have owed its readers
                note(rebuilt)
    return [done[name] for name in models]


def _rebuild_and_ask(connection: Connection, model: Model) -> tuple[Rebuilt, set[str]]:
    return rebuild(connection, model), _waiting(connection)


def _waiting(connection: Connection) -> set[str]:
    """Another run's rebuild that has not committed is still owed here: it is waited for, not passed by."""
    with transaction(connection) as cursor:
        return changes.waiting(cursor)


def _counts(cursor: Cursor) -> tuple[int, int]:
    cursor.execute("select (select count(*) from removed_rows), (select count(*) from added_rows)")
    removed, added = cursor.fetchone() or (0, 0)
    return removed, added
