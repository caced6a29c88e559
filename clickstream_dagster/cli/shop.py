"""`clickstream shop`: a shop in the browser, on this machine."""

from __future__ import annotations

import secrets
import sys

import click

from clickstream_dagster.cli.processes import Server, run_until_stopped
from clickstream_dagster.cli.serving import PORT, check_port
from clickstream_dagster.cli.show import console
from clickstream_dagster.settings import LOCAL_PORTS, Postgres, load_settings

HOST = "127.0.0.1"


@click.command("shop")
@click.option("--port", default=LOCAL_PORTS["shop"], show_default=True, type=PORT, help="Port of the shop.")
@click.option(
    "--gateway-port", default=LOCAL_PORTS["gateway"], show_default=True, type=PORT, help="Port of the collector."
)
def shop_command(port: int, gateway_port: int) -> None:
    """Serve a real shop on a database of its own, with the tracker on it, and the collector that its events go to."""
    from clickstream_dagster.local.embedded import start_postgres
    from clickstream_dagster.local.storefront import building, database

    check_port(HOST, port, "--port")
    check_port(HOST, gateway_port, "--gateway-port")
    building.build(console.print)
    shop = database.prepare(start_postgres(load_settings().home))
    console.print("Load what the collector takes:  clickstream materialize")
    run_until_stopped([collector(gateway_port), storefront(shop, port, gateway_port)])


def collector(port: int) -> Server:
    """The collector, as a process of its own: the shop's pages and its server send to it."""
    command = "from clickstream_dagster.cli import main; main()"
    line = [sys.executable, "-c", command, "gateway", "--host", HOST, "--port", str(port)]
    return Server("Collector", f"http://{HOST}:{port}/clickstream", line, {})


def storefront(shop: Postgres, port: int, gateway_port: int) -> Server:
    """The built storefront. What it knows of its surroundings is in its environment."""
    from clickstream_dagster.local import node
    from clickstream_dagster.local.storefront import building, database

    address = f"http://localhost:{port}"
    environ = {
        "DATABASE_URL": database.url(shop),
        "CLICKSTREAM_URL": f"http://{HOST}:{gateway_port}/clickstream",
        "SHOP_URL": address,
        "SESSION_SECRET": secrets.token_hex(32),  # who is signed in signs in again after a restart
        "NEXT_TELEMETRY_DISABLED": "1",
    }
    program = str(building.STOREFRONT / "node_modules" / "next" / "dist" / "bin" / "next")
    line = [str(node.folder() / "node"), program, "start", str(building.STOREFRONT), "-H", HOST, "-p", str(port)]
    return Server("Shop", address, line, environ)
