"""Forward-only migrations, views, roles and settings: everything that must stand before anything is loaded."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

from psycopg2 import sql

from clickstream_dagster.raw.channels import Rules
from clickstream_dagster.settings import (
    ATTRIBUTION_HALF_LIFE,
    CART_LEFT_AFTER,
    CART_LIFE,
    CART_LINES_LIMIT,
    CART_RECOVERY_WINDOW,
    EXPERIMENT_WINDOW,
    FUNNEL_WINDOW,
    ORDER_EVENTS_LIMIT,
    ORDER_LINES_LIMIT,
    SESSION_GAP,
    STEP_EVENTS_LIMIT,
    TOUCHES_LIMIT,
    VARIANTS_LIMIT,
    Settings,
)
from clickstream_dagster.warehouse import (
    backfill,
    changes,
    comments,
    funnel_file,
    in_segment,
    labels,
    reader,
    relabel,
    segment_file,
    segments,
)
from clickstream_dagster.warehouse.connection import Connection, Cursor, owning, take_lock, transaction
from clickstream_dagster.warehouse.models import Model, all_models

#: What a login that loads writes besides the tables that it fills: what is loaded, what it did, what it owes the rebuilds,
#: what campaigns cost, and who was erased.
_LOADED = (
    *("loaded_hours", "raw_packs", "operational_objects", "model_runs", "changed_keys", "changed_spans"),
    *("campaign_spend", "erasures", "erased_ids"),
)
_MIGRATIONS = files("dbt_like_sql").joinpath("migrations")


def migrate(connection: Connection, settings: Settings) -> list[str]:
    """Bring the warehouse to this version; the names of the migrations that were applied. Harmless to repeat, and safe
    when several processes do it at once."""
    with transaction(connection) as cursor, owning(cursor):
        take_lock(cursor, "migrate")
        pending = _pending_migrations(cursor)
        rules, chosen = relabel.chosen_rules(settings), segment_file.chosen(settings)
        funnels = funnel_file.chosen(settings)
        if pending or _is_anything_new(cursor, settings, rules):
            _wait_for_others(cursor)
            in_segment.remove(cursor)
            _apply(cursor, pending)
            _replace_views(cursor)
            are_settings_new = _write_settings(cursor, settings)
            relabel.settle(cursor, rules)
            if backfill.MIGRATION in pending:
                labels.add(cursor, backfill.key_events(cursor))
            _owe_what_is_new(cursor, are_settings_new)
            _grant_loading(cursor)
            reader.grant(cursor)  # each time, since a view that was replaced has lost its grants
            reader.restrict(cursor)
            in_segment.write(cursor)
        # Nothing is built of these, so nobody is waited for.
        segments.write(cursor, chosen)
        funnel_file.write(cursor, funnels)
        comments.write(cursor)
    reader.hold(connection)
    return pending


def is_current(connection: Connection, settings: Settings) -> bool:
    """Is the warehouse of this version, and were its tables built with these settings?"""
    with transaction(connection) as cursor, owning(cursor):
        rules = relabel.chosen_rules(settings)
        return not (_pending_migrations(cursor) or _is_anything_new(cursor, settings, rules))


def changed_settings(connection: Connection, settings: Settings) -> list[str]:
    """What of the settings is not as the tables were built with, in words; nothing in a warehouse that is new or of another
    version."""
    with transaction(connection) as cursor, owning(cursor):
        if _pending_migrations(cursor):  # of another version: what was set then has no place to be compared with
            return []
        found = _found_settings(cursor)
        if not found:
            return []
        pairs = zip(_SETTINGS, found, _values(settings), strict=True)
        changed = [f"{name} {_word(old)} -> {_word(new)}" for name, old, new in pairs if old != new]
        cursor.execute("select channels_version from label_rules")
        if cursor.fetchone() != (relabel.chosen_rules(settings).version,):
            changed.append(f"the rules of channels ({settings.channels or 'the ones that come along'}, and own hosts)")
        return changed


def _word(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _pending_migrations(cursor: Cursor) -> list[str]:
    cursor.execute("""
        create table if not exists schema_migrations (name text primary key, applied_at timestamptz default now())
        """)
    cursor.execute("select name from schema_migrations")
    done = {name for (name,) in cursor.fetchall()}
    return sorted(name for entry in _MIGRATIONS.iterdir() if (name := entry.name).endswith(".sql") and name not in done)


def _apply(cursor: Cursor, pending: list[str]) -> None:
    for name in pending:
        cursor.execute(_MIGRATIONS.joinpath(name).read_text())
        cursor.execute("insert into schema_migrations (name) values (%s)", (name,))


def _replace_views(cursor: Cursor) -> None:
    """Those that are new, and those that read them: a view of the owner's on another one is left alone."""
    views: list[Model] = []
    for model in all_models().values():
        are_read = model.reads & {view.name for view in views}
        if model.materialized == "view" and (are_read or _is_new_version(cursor, model.name, model.sql_hash)):
            views.append(model)
    if not views:
        return
    names = [sql.Identifier(model.name) for model in views]
    cursor.execute(sql.SQL("drop view if exists {}").format(sql.SQL(", ").join(names)))
    for model, name in zip(views, names, strict=True):
        cursor.execute(sql.SQL("create view {} as {}").format(name, sql.SQL(model.sql)))
        _set_version(cursor, model.name, model.sql_hash)


def _is_anything_new(cursor: Cursor, settings: Settings, rules: Rules) -> bool:
    versions = {model.name: model.sql_hash for model in all_models().values()}
    cursor.execute("select model, sql_hash from model_versions")
    return dict(cursor.fetchall()) != versions or _are_settings_new(cursor, settings) or relabel.are_new(cursor, rules)


def _wait_for_others(cursor: Cursor) -> None:
    """Let loads and rebuilds end that began with the old SQL or settings, and hold the next ones back until the commit:
    what they bring meanwhile would not be among what is owed, and a migration must not drop a table under them. All
    take their locks in the order of their names, so nobody waits in a circle."""
    for name in sorted(all_models()):
        take_lock(cursor, name)


_SETTINGS = (
    "timezone",
    "currency",
    "funnel_steps",
    "session_gap",
    "funnel_window",
    "order_events_limit",
    "order_lines_limit",
    "attribution_window",
    "attribution_half_life",
    "touches_limit",
    "cart_left_after",
    "cart_recovery_window",
    "cart_life",
    "cart_lines_limit",
    "step_events_limit",
    "experiment_window",
    "variants_limit",
)


def _are_settings_new(cursor: Cursor, settings: Settings) -> bool:
    return _found_settings(cursor) != _values(settings)


def _found_settings(cursor: Cursor) -> tuple[object, ...] | None:
    """Those that the tables were built with, in the order of `_SETTINGS`."""
    cursor.execute(f"select {', '.join(_SETTINGS)} from shop_settings")
    return cursor.fetchone()


def _values(settings: Settings) -> tuple[object, ...]:
    steps = list(settings.funnel_steps)
    limits = (ORDER_EVENTS_LIMIT, ORDER_LINES_LIMIT)
    attribution = (timedelta(days=settings.attribution_days), ATTRIBUTION_HALF_LIFE, TOUCHES_LIMIT)
    experiments = (EXPERIMENT_WINDOW, VARIANTS_LIMIT)
    carts = (CART_LEFT_AFTER, CART_RECOVERY_WINDOW, CART_LIFE, CART_LINES_LIMIT)
    shop = (settings.timezone, settings.currency, steps, SESSION_GAP, FUNNEL_WINDOW)
    return (*shop, *limits, *attribution, *carts, STEP_EVENTS_LIMIT, *experiments)


def _write_settings(cursor: Cursor, settings: Settings) -> bool:
    """Write the settings that models are built with; True when they differ from those that tables were built with."""
    if not _are_settings_new(cursor, settings):
        return False
    cursor.execute(
        f"""
        insert into shop_settings ({", ".join(_SETTINGS)}) values ({", ".join(["%s"] * len(_SETTINGS))})
        on conflict (is_only_row) do update set {", ".join(f"{name} = excluded.{name}" for name in _SETTINGS)}
        """,
        _values(settings),
    )
    # Too small a table for PostgreSQL to look at by itself: it would take it for hundreds of rows, in every model.
    cursor.execute("analyze shop_settings")
    return True


def _owe_what_is_new(cursor: Cursor, are_settings_new: bool) -> None:
    """A table whose SQL or settings changed owes a rebuild of all its keys; the next run pays it."""
    for model in all_models().values():
        is_new = _is_new_version(cursor, model.name, model.sql_hash)
        if model.materialized in ("spans", "keys", "sum") and (is_new or are_settings_new):
            changes.owe_all(cursor, model)
        if is_new:
            _set_version(cursor, model.name, model.sql_hash)


def _is_new_version(cursor: Cursor, model: str, sql_hash: str) -> bool:
    cursor.execute("select sql_hash from model_versions where model = %s", (model,))
    return cursor.fetchone() != (sql_hash,)


def _set_version(cursor: Cursor, model: str, sql_hash: str) -> None:
    cursor.execute(
        "insert into model_versions (model, sql_hash) values (%s, %s) "
        "on conflict (model) do update set sql_hash = excluded.sql_hash",
        (model, sql_hash),
    )


def _grant_loading(cursor: Cursor) -> None:
    """A login that is not the owner loads by itself, and takes the owner's place only to rebuild and to migrate."""
    cursor.execute("select session_user, session_user <> current_user")
    login, is_another = cursor.fetchone()  # type: ignore[misc]
    if not is_another:
        return
    role = sql.Identifier(login)
    cursor.execute(sql.SQL("grant select on all tables in schema public to {}").format(role))
    cursor.execute("select current_database()")
    database = sql.Identifier(cursor.fetchone()[0])  # type: ignore[index]
    cursor.execute(sql.SQL("grant temporary on database {} to {}").format(database, role))
    filled = [model.name for model in all_models().values() if model.materialized == "loader"]
    for table in (*_LOADED, *filled):
        cursor.execute(sql.SQL("grant insert, update, delete on {} to {}").format(sql.Identifier(table), role))
