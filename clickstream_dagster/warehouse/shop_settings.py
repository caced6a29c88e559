"""What the tables were built with (table `shop_settings`, one row): a load that comes with other settings builds them anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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
from clickstream_dagster.warehouse.connection import Cursor

COLUMNS = (
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


def are_new(cursor: Cursor, settings: Settings) -> bool:
    """Are these others than those that the tables were built with?"""
    return found(cursor) != values(settings)


def found(cursor: Cursor) -> tuple[object, ...] | None:
    """Those that the tables were built with, in the order of `COLUMNS`; None in a new warehouse."""
    cursor.execute(f"select {', '.join(COLUMNS)} from shop_settings")
    return cursor.fetchone()


def values(settings: Settings) -> tuple[object, ...]:
    """These settings, in the order of `COLUMNS`."""
    steps = list(settings.funnel_steps)
    limits = (ORDER_EVENTS_LIMIT, ORDER_LINES_LIMIT)
    attribution = (timedelta(days=settings.attribution_days), ATTRIBUTION_HALF_LIFE, TOUCHES_LIMIT)
    experiments = (EXPERIMENT_WINDOW, VARIANTS_LIMIT)
    carts = (CART_LEFT_AFTER, CART_RECOVERY_WINDOW, CART_LIFE, CART_LINES_LIMIT)
    shop = (settings.timezone, settings.currency, steps, SESSION_GAP, FUNNEL_WINDOW)
    return (*shop, *limits, *attribution, *carts, STEP_EVENTS_LIMIT, *experiments)


def write(cursor: Cursor, settings: Settings) -> bool:
    """Keep these; True when they differ from those that the tables were built with."""
    if not are_new(cursor, settings):
        return False
    cursor.execute(
        f"""
        insert into shop_settings ({", ".join(COLUMNS)}) values ({", ".join(["%s"] * len(COLUMNS))})
        on conflict (is_only_row) do update set {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}
        """,
        values(settings),
    )
    # Too small a table for PostgreSQL to look at by itself: it would take it for hundreds of rows, in every model.
    cursor.execute("analyze shop_settings")
    return True


def as_built(cursor: Cursor, settings: Settings) -> Settings | None:
    """These settings, but with what the owner had chosen when the tables were built; None in a new warehouse. By name, since
    a warehouse of an older version has fewer columns."""
    cursor.execute("select to_regclass('shop_settings') is not null")
    if cursor.fetchone() != (True,):
        return None
    cursor.execute("""
        select timezone, currency, funnel_steps, (to_jsonb(built) ->> 'attribution_window')::interval
        from shop_settings as built
        """)
    row = cursor.fetchone()
    if not row:
        return None
    timezone, currency, steps, window = row
    days = window.days if window else settings.attribution_days
    return replace(settings, timezone=timezone, currency=currency, funnel_steps=tuple(steps), attribution_days=days)
