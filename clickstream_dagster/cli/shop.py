"""`clickstream shop`: a shop in the browser, on this machine."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass

import click

from clickstream_dagster.cli.processes import Server, run_until_stopped
from clickstream_dagster.cli.serving import PORT, check_port
from clickstream_dagster.cli.show import console
from clickstream_dagster.settings import LOCAL_PORTS, Postgres, load_settings

HOST = "127.0.0.1"
CLIENT = "shop"


@dataclass(frozen=True)
class Ports:
    """Where each of the three listens."""

    shop: int = LOCAL_PORTS["shop"]
    collector: int = LOCAL_PORTS["gateway"]
    sign_in: int = LOCAL_PORTS["sign_in"]

    @property
    def shop_url(self) -> str:
        """As visitors see it, and as the provider knows it."""
        return f"http://localhost:{self.shop}"

    @property
    def issuer(self) -> str:
        """The OpenID provider, as its tokens name it."""
        return f"http://localhost:{self.sign_in}"


@click.command("shop")
@click.option("--port", default=Ports.shop, show_default=True, type=PORT, help="Port of the shop.")
@click.option("--gateway-port", default=Ports.collector, show_default=True, type=PORT, help="Port of the collector.")
@click.option("--sign-in-port", default=Ports.sign_in, show_default=True, type=PORT, help="Port of the sign-in.")
def shop_command(port: int, gateway_port: int, sign_in_port: int) -> None:
    """Serve a real shop on a database of its own, with the tracker on it, the collector that its events go to, and a sign-in
    without passwords."""
    ready = prepared_servers(Ports(port, gateway_port, sign_in_port))
    console.print("Load what the collector takes, and compare it with the shop's books:  clickstream materialize")
    run_until_stopped(ready)


def prepared_servers(ports: Ports) -> list[Server]:
    """What `servers` gives, with the shop built and its database made where that is not done. Raises `CannotServe` before
    anything is built where a port is taken."""
    from clickstream_dagster.local.embedded import start_postgres
    from clickstream_dagster.local.storefront import building, database

    taken_by = ((ports.shop, "--port"), (ports.collector, "--gateway-port"), (ports.sign_in, "--sign-in-port"))
    for wanted, option in taken_by:
        check_port(HOST, wanted, option)
    building.build(console.print)
    return servers(database.prepare(start_postgres(load_settings().home)), ports)


def servers(shop: Postgres, ports: Ports) -> list[Server]:
    """The shop on this database, its collector, and the OpenID provider whose tokens both believe."""
    return [storefront(shop, ports), provider(ports), collector(ports)]


def collector(ports: Ports) -> Server:
    """The collector, as a process of its own: the shop's pages and its server send to it."""
    command = "from clickstream_dagster.cli import main; main()"
    line = [sys.executable, "-c", command, "gateway", "--host", HOST, "--port", str(ports.collector)]
    environ = {"CLICKSTREAM_ISSUER": ports.issuer, "CLICKSTREAM_SHOP_CLIENT": CLIENT}
    return Server("Collector", "", line, environ)


def provider(ports: Ports) -> Server:
    """Stands in Cognito's place: whoever gives a name and an e-mail address has an account."""
    from clickstream_dagster.local import node
    from clickstream_dagster.local.storefront import building

    line = [str(node.folder() / "node"), str(building.STOREFRONT / "dev" / "openid.mjs")]
    environ = {"SHOP_URL": ports.shop_url, "OPENID_PORT": str(ports.sign_in), "OPENID_CLIENT_ID": CLIENT}
    return Server("Sign-in", "", line, environ)


def storefront(shop: Postgres, ports: Ports) -> Server:
    """The built storefront. What it knows of its surroundings is in its environment."""
    from clickstream_dagster.local import node
    from clickstream_dagster.local.storefront import building, database

    environ = {
        "DATABASE_URL": database.url(shop),
        "CLICKSTREAM_URL": f"http://{HOST}:{ports.collector}/clickstream",
        "SHOP_URL": ports.shop_url,
        "SESSION_SECRET": secrets.token_hex(32),  # who is signed in signs in again after a restart
        "OPENID_ISSUER": ports.issuer,
        "OPENID_CLIENT_ID": CLIENT,
        "NEXT_TELEMETRY_DISABLED": "1",
    }
    program = str(building.STOREFRONT / "node_modules" / "next" / "dist" / "bin" / "next")
    line = [str(node.folder() / "node"), program, "start", str(building.STOREFRONT), "-H", HOST, "-p", str(ports.shop)]
    return Server("Shop", ports.shop_url, line, environ)
