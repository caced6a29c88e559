"""`clickstream demo`: the main job, end to end, on invented traffic."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clickstream_dagster.cli.materializing import materialize
from clickstream_dagster.cli.processes import run_until_stopped
from clickstream_dagster.cli.serving import PORT, check_port, dagster_servers, dashboard_server
from clickstream_dagster.cli.shop import Ports, prepared_servers
from clickstream_dagster.cli.show import bar, console, harmless, table
from clickstream_dagster.cli.status import show_balance, show_freshness, show_ledger
from clickstream_dagster.partitions import floor_hour
from clickstream_dagster.settings import LOCAL_PORTS, first_hour_file, load_settings
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import Connection, transaction
from clickstream_dagster.warehouse.ledger import ledger

if TYPE_CHECKING:
    from clickstream_dagster.local.traffic.truth import Sent


#: Enough for two periods of 28 days to be compared, few enough to be loaded in a minute.
VISITORS_PER_DAY = 200


class DemoRefused(RuntimeError):
    """The demo would mix invented traffic with real; the message says what to do."""


@dataclass(frozen=True)
class Plan:
    """What traffic to invent. Kept in the home, so that a demo that was cut off goes on with the same events."""

    seed: int
    days: int
    until: str
    is_sent: bool = False


@click.command("demo")
@click.option("--days", default=60, show_default=True, type=click.IntRange(1, 400), help="Days of traffic, up to now.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another shop.")
@click.option("--no-serve", is_flag=True, help="End after the summary instead of serving.")
@click.option("--port", default=LOCAL_PORTS["dagster"], show_default=True, type=PORT, help="Port of the Dagster UI.")
@click.option(
    "--dashboard-port", default=LOCAL_PORTS["dashboard"], show_default=True, type=PORT, help="Port of the dashboard."
)
@click.option("--shop", "with_shop", is_flag=True, help="Serve a shop beside them, as clickstream shop does.")
def demo_command(days: int, seed: int, no_serve: bool, port: int, dashboard_port: int, with_shop: bool) -> None:
    """Invent a shop's traffic, collect it, materialize it, show the numbers next to what was invented, and serve the
    dashboard and the Dagster UI."""
    host = "127.0.0.1"
    if not no_serve:  # told before the work, not after it
        check_port(host, dashboard_port, "--dashboard-port")
        check_port(host, port, "--port")
    stack = Stack(load_settings())
    plan = make_plan(stack, seed, days)
    shop = prepared_servers(Ports()) if with_shop and not no_serve else []
    sent = collect_traffic(stack, plan)
    # Read again: the plan has set the first hour.
    stack = Stack(load_settings())
    materialize(stack, everywhere=True)
    with stack.warehouse() as connection:
        is_balanced = summarize(connection, sent)
    if not is_balanced:
        raise SystemExit(1)
    console.print(
        f"All of it is in {stack.settings.home}. Look around with {harmless(sys.argv[0])} status, sql, dashboard and serve."
    )
    if not shop:
        console.print(
            "Be a visitor yourself: make shop serves a shop with the tracker on it (with this: make demo ARGS=--shop)."
        )
    if not no_serve:
        run_until_stopped([dashboard_server(stack, host, dashboard_port), *dagster_servers(stack, host, port), *shop])


def make_plan(stack: Stack, seed: int, days: int) -> Plan:
    """The plan of this home: the one it holds, or a new one."""
    home = stack.settings.home
    if not stack.settings.is_embedded or stack.settings.raw_bucket:
        raise DemoRefused(
            "The demo invents traffic: unset DW_PG_HOST and RAW_BUCKET_NAME to run it on the embedded default."
        )
    file = home / "demo.json"
    if file.exists():
        plan = Plan(**json.loads(file.read_text()))
        if (plan.seed, plan.days) != (seed, days):
            raise DemoRefused(
                f"{home} holds a demo with --seed {plan.seed} --days {plan.days}. "
                "Set CLICKSTREAM_HOME to another folder for this one, or remove that folder."
            )
        return plan
    if (home / "raw" / "events").exists():
        raise DemoRefused(f"{home} holds events of your own. Set CLICKSTREAM_HOME to another folder for the demo.")
    until = floor_hour(datetime.now(UTC))
    plan = Plan(seed, days, until.isoformat())
    _write(file, plan)
    first_hour_file(home).write_text((until - timedelta(days=days)).isoformat())
    return plan


def collect_traffic(stack: Stack, plan: Plan) -> Sent | None:
    """Send the traffic through the collector's own handler; None when this home has it already."""
    from clickstream_dagster.local.traffic.generate import requests
    from clickstream_dagster.local.traffic.sending import send

    if plan.is_sent:
        console.print("The traffic of this demo is collected already.")
        return None
    made = requests(plan.seed, plan.days, datetime.fromisoformat(plan.until), VISITORS_PER_DAY)
    with bar("requests collected") as shown:
        [task] = shown.task_ids

        def counted() -> object:
            for request in made:
                shown.advance(task)
                yield request

        sent = send(counted(), stack.store)  # type: ignore[arg-type]
    _write(stack.settings.home / "demo.json", Plan(plan.seed, plan.days, plan.until, is_sent=True))
    console.print(
        f"Collected {sent.requests:,} requests over {plan.days} days: {sent.accepted:,} events accepted, "
        f"{sent.rejected:,} rejected and kept with their reason."
    )
    return sent


def summarize(connection: Connection, sent: Sent | None) -> bool:
    """The numbers an owner asks for first, and the books. True when they balance."""
    _show_days(connection)
    _show_funnel(connection)
    _show_channels(connection)
    _show_products(connection)
    books = ledger(connection)
    show_ledger(books, 6)
    is_balanced = show_balance(books)
    show_freshness(connection)
    return is_balanced and (sent is None or _show_truth(connection, sent))


def _show_days(connection: Connection) -> None:
    rows = _rows(
        connection,
        """
        select local_date::text, visitors, sessions, page_views,
            round(100.0 * bounces / nullif(sessions, 0), 1) || ' %%',
            round(100.0 * sessions_with_purchase / nullif(sessions, 0), 2) || ' %%', orders,
            (select string_agg(to_char(r.net, 'FM999,999,990.00') || ' ' || r.currency, ', ' order by r.currency) from (
                select currency, sum(revenue - refunded) as net from agg_daily_revenue
                where local_date = agg_daily_traffic.local_date and not is_bot group by currency) as r)
        from agg_daily_traffic where not is_bot order by agg_daily_traffic.local_date desc limit 7
        """,
    )
    header = ("date", "visitors", "sessions", "page views", "bounce", "conversion", "orders", "net revenue")
    table("The last days, without bots", header, rows[::-1])


def _show_funnel(connection: Connection) -> None:
    rows = _rows(
        connection,
        """
        select event_name, sum(sessions)::integer,
            round(100.0 * sum(sessions) / nullif(lag(sum(sessions)) over (order by step), 0), 1) || ' %%',
            round(100.0 * sum(sessions) / nullif(first_value(sum(sessions)) over (order by step), 0), 1) || ' %%'
        from agg_daily_funnel where not is_bot group by step, event_name order by step
        """,
    )
    table(
        "Funnel: sessions with the steps in order",
        ("step", "sessions", "of the step before", "overall"),
        rows,
    )


def _show_channels(connection: Connection) -> None:
    rows = _rows(
        connection,
        """
        select channel, sum(sessions)::integer, sum(orders)::integer,
            round(100.0 * sum(sessions_with_purchase) / nullif(sum(sessions), 0), 2) || ' %%'
        from agg_daily_acquisition where not is_bot group by channel order by 2 desc
        """,
    )
    table("Channels", ("channel", "sessions", "orders", "conversion"), rows)


def _show_products(connection: Connection) -> None:
    rows = _rows(
        connection,
        """
        select coalesce(dim_product.product_name, product_id), sum(views)::integer, sum(added_sessions)::integer,
            sum(units)::integer, to_char(sum(revenue), 'FM999,999,990.00') || ' ' || agg_daily_products.currency
        from agg_daily_products left join dim_product using (product_id)
        where not is_bot group by 1, product_id, agg_daily_products.currency order by sum(revenue) desc, 1 limit 8
        """,
    )
    table("Products by revenue, each currency apart", ("product", "views", "adds", "sold", "revenue"), rows)


def _show_truth(connection: Connection, sent: Sent) -> bool:
    """What was invented against what the tables say. True when they agree."""
    [(events, duplicates, rejected)] = _rows(
        connection, "select sum(loaded)::integer, sum(duplicate)::integer, sum(rejected)::integer from etl_ledger"
    )
    revenue = dict(_rows(connection, "select currency, sum(revenue) from fact_orders group by currency"))
    [(orders,)] = _rows(connection, "select count(*)::integer from fact_orders")
    [(exposed,)] = _rows(connection, "select count(*)::integer from fact_experiment_visitors where not is_bot")
    pairs = [
        ("events", sent.distinct_events, events),
        ("duplicates", sent.duplicates_sent, duplicates),
        ("rejected", sent.rejected, rejected),
        ("orders", sent.orders, orders),
        ("visitors in the experiment", sent.exposed, exposed),
        *(
            (f"revenue {name}", amount, revenue.get(name, Decimal(0)))
            for name, amount in sent.revenue_by_currency.items()
        ),
    ]
    rows = [(name, f"{made:,}", f"{found:,}", made == found) for name, made, found in pairs]
    table("What was invented, and what the tables say", ("", "invented", "in the tables", "equal"), rows)
    return all(made == found for _, made, found in pairs)


def _rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with transaction(connection) as cursor:
        cursor.execute(query, ())
        return cursor.fetchall()


def _write(file: Path, plan: Plan) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(vars(plan)) + "\n")
