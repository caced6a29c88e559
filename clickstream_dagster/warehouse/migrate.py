"""Forward-only migrations, views, roles and settings: everything that must stand before anything is loaded."""

from __future__ import annotations

from importlib.resources import files

from psycopg2 import sql

from clickstream_dagster.raw.channels import Rules
from clickstream_dagster.settings import Settings
from clickstream_dagster.warehouse import (
    backfill,
    changes,
    comments,
    funnel_file,
    in_segment,
    kept,
    labels,
    reader,
    relabel,
    segment_file,
    segments,
    shop_settings,
)
from clickstream_dagster.warehouse.connection import Connection, Cursor, owning, take_lock, transaction
from clickstream_dagster.warehouse.models import Model, all_models

#: What a login that loads writes besides the tables that it fills: what is loaded, what it did, what it owes the rebuilds,
#: what campaigns cost, who was erased, which test visits were sent, what has expired, how far the
#: shop's orders are known, and what the lake holds.
_LOADED = (
    *("loaded_hours", "raw_packs", "operational_objects", "model_runs", "changed_keys", "changed_spans"),
    *("campaign_spend", "erasures", "erased_ids", "canary_notes"),
    *("expired_events", "expired_orders", "expiry", "shop_readings", "lake_hours"),
)
#: The shop's orders are no function of events, so no rebuild gives them the dates of another time zone.
_REDATE = """
    update shop_orders set local_date = (placed_at at time zone shop_settings.timezone)::date from shop_settings
    where local_date <> (placed_at at time zone shop_settings.timezone)::date
"""
_MIGRATIONS = files("dbt_like_sql").joinpath("migrations")


def migrate(connection: Connection, settings: Settings, *, keeps_settings: bool = False) -> list[str]:
    """Bring the warehouse to this version and these settings; the names of the migrations that were applied. With
    `keeps_settings`, what the owner had chosen when the tables were built stays. Harmless to repeat, and safe when several
    processes do it at once."""
    with transaction(connection) as cursor, owning(cursor):
        take_lock(cursor, "migrate")
        pending = _pending_migrations(cursor)
        rules, chosen = relabel.chosen_rules(settings), segment_file.chosen(settings)
        funnels = funnel_file.chosen(settings)
        built = shop_settings.as_built(cursor, settings) if keeps_settings else None
        if built:
            settings, rules = built, relabel.standing_rules(cursor) or rules
        if pending or _is_anything_new(cursor, settings, rules):
            _wait_for_others(cursor)
            in_segment.remove(cursor)
            _apply(cursor, pending)
            kept.settle(cursor)
            _replace_views(cursor)
            are_settings_new = shop_settings.write(cursor, settings)
            if are_settings_new:
                cursor.execute(_REDATE)
            relabel.settle(cursor, rules)
            if backfill.MIGRATION in pending:
                labels.add(cursor, backfill.key_events(cursor))
            _owe_what_is_new(cursor, are_settings_new)
            _grant_loading(cursor)
            reader.grant(cursor)  # each time, since a view that was replaced has lost its grants
            reader.restrict(cursor)
            in_segment.write(cursor)
        # Nothing is built of these, so nobody is waited for.
        if not built:
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
        found = shop_settings.found(cursor)
        if not found:
            return []
        pairs = zip(shop_settings.COLUMNS, found, shop_settings.values(settings), strict=True)
        changed = [f"{name} {_word(old)} -> {_word(new)}" for name, old, new in pairs if old != new]
        cursor.execute("select channels_version from label_rules")
        if cursor.fetchone() != (relabel.chosen_rules(settings).version,):
            changed.append(f"the rules of channels ({settings.channels or 'the ones that come along'}, and own hosts)")
        # A file that is named is meant; one that is forgotten puts those that come along in the place of the owner's.
        if not settings.segments and segments.are_new(cursor, segment_file.chosen(settings)):
            changed.append("the segments (CLICKSTREAM_SEGMENTS is not set)")
        if not settings.funnels and funnel_file.are_new(cursor, funnel_file.chosen(settings)):
            changed.append("the funnels (CLICKSTREAM_FUNNELS is not set)")
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
    return (
        dict(cursor.fetchall()) != versions or shop_settings.are_new(cursor, settings) or relabel.are_new(cursor, rules)
    )


def _wait_for_others(cursor: Cursor) -> None:
    """Let loads and rebuilds end that began with the old SQL or settings, and hold the next ones back until the commit:
    what they bring meanwhile would not be among what is owed, and a migration must not drop a table under them. All
    take their locks in the order of their names, so nobody waits in a circle."""
    for name in sorted(all_models()):
        take_lock(cursor, name)


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
