"""The storefront as its command starts it, on a database of its own and a real collector."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from clickstream_dagster.cli import shop as command
from clickstream_dagster.local.storefront import building, database
from clickstream_dagster.settings import Postgres
from clickstream_dagster.warehouse.connection import connect, transaction
from support.programs import running


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    url: str
    server: Postgres
    #: The collector's.
    home: Path
    #: Its cookies are encrypted with it.
    secret: str

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask its database."""
        connection = connect(self.server)
        with transaction(connection) as cursor:
            cursor.execute(query, values)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found

    def stock(self, product: str) -> int:
        [(quantity,)] = self.rows("select quantity from inventory where product_id = %s", product)
        return int(quantity)

    def set_stock(self, quantity: int, *products: str) -> None:
        self.rows("update inventory set quantity = %s where product_id = any(%s)", quantity, list(products))

    def orders(self) -> int:
        [(count,)] = self.rows("select count(*) from orders")
        return int(count)

    def events(self, folder: str = "events") -> list[dict[str, Any]]:
        """What the collector has stored, by its time, each once: what a page sends as it goes comes twice."""
        files = (self.home / "raw" / folder).rglob("*.json")
        lines = [msgspec.json.decode(line) for file in files for line in file.read_bytes().splitlines()]
        once = {line.get("event_id", number): line for number, line in enumerate(lines)}
        return sorted(once.values(), key=lambda line: line.get("event_timestamp", ""))


@contextmanager
def shop(postgres: Postgres, name: str, home: Path) -> Iterator[Shop]:
    """A shop with the demo's catalogue, for as long as the block runs."""
    building.build(print)
    server = database.prepare(postgres, name)
    ports = command.Ports(free_port(), free_port(), free_port())
    servers = command.servers(server, ports)
    [secret] = [one.environ["SESSION_SECRET"] for one in servers if "SESSION_SECRET" in one.environ]
    with ExitStack() as stack:
        for one in servers:
            stack.enter_context(running(one.command, {**one.environ, "CLICKSTREAM_HOME": str(home)}))
        for url in (
            ports.shop_url,
            ports.issuer + "/.well-known/openid-configuration",
            f"http://127.0.0.1:{ports.collector}/healthz",
        ):
            wait_for(url)
        yield Shop(ports.shop_url, server, home, secret)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_for(url: str) -> None:
    for _ in range(1_800):
        try:
            urllib.request.urlopen(url, timeout=30).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer in three minutes")
