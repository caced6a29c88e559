"""The shop's own database on this machine: the schema of `infra_cfn/oltp`, and the catalogue that the invented traffic knows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from urllib.parse import quote, urlencode

from psycopg2 import sql

from clickstream_dagster.local.storefront.building import ROOT
from clickstream_dagster.local.traffic.catalogue import CURRENCIES, MAIN_HOST, PRODUCTS
from clickstream_dagster.settings import SHOP_DATABASE, SHOP_READER, Postgres
from clickstream_dagster.warehouse.connection import connect, create_database, transaction

SCRIPTS = ROOT / "infra_cfn" / "oltp"


def prepare(server: Postgres, name: str = SHOP_DATABASE) -> Postgres:
    """The database, made and filled where it is not, and open to the login by which the warehouse reads its orders; what was
    sold and what was changed since stays."""
    create_database(server, name)
    shop = replace(server, database=name)
    with closing(connect(shop)) as connection:
        connection.autocommit = True  # the schema has a transaction of its own
        for script in ("schema.sql", "reader.sql"):
            connection.cursor().execute((SCRIPTS / script).read_text())
        connection.autocommit = False
        with transaction(connection) as cursor:
            cursor.executemany(
                """insert into products (product_id, name, category, brand, price, discount_price, currency)
                values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
                [
                    (one.id, one.name, one.category, one.brand, one.price, one.discount_price, CURRENCIES[MAIN_HOST])
                    for one in PRODUCTS
                ],
            )
            cursor.executemany(
                "insert into inventory (product_id, quantity) values (%s, %s) on conflict do nothing",
                [(one.id, pieces(number)) for number, one in enumerate(PRODUCTS, start=1)],
            )
            # Last: from then on the warehouse takes the shop for connected.
            cursor.execute(
                sql.SQL("grant connect on database {} to {}").format(sql.Identifier(name), sql.Identifier(SHOP_READER))
            )
    return shop


def pieces(number: int) -> int:
    """How many there are of the product of this number: of one there is none, of one a single piece."""
    return number * 7 % 41


def url(server: Postgres) -> str:
    """As the storefront takes it in `DATABASE_URL`; a folder with the server's socket is a host, too."""
    login = quote(server.user) + (f":{quote(server.password, safe='')}" if server.password else "")
    return f"postgresql://{login}@localhost:{server.port}/{server.database}?{urlencode({'host': server.host})}"
