"""What the demo's shop sells: sixty invented products of invented brands, and what its visitors search for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

MAIN_HOST = "www.bitforge.example"
EURO_HOST = "eu.bitforge.example"
#: The shop's own hosts: never a referrer of a session.
SHOP_HOSTS = (MAIN_HOST, EURO_HOST)
CURRENCIES = {MAIN_HOST: "USD", EURO_HOST: "EUR"}

# category | brand name | list price | discount price, where there is one
_LINES = """
Laptops|Kestrion AirBook 14|1199.00|1049.00
Laptops|Kestrion AirBook 16 Pro|1899.00
Laptops|Velanta Strix 15 Gaming|1549.00|1399.00
Laptops|Halvex Note 13|799.00
Laptops|Halvex Note 15 Touch|949.00|899.00
Laptops|Ormund WorkStation 17|2499.00
Desktops|Velanta Tower R7|1699.00
Desktops|Velanta Tower R9 Water-cooled|2599.00|2399.00
Desktops|Halvex Mini M1|549.00
Desktops|Halvex Mini M2|699.00|649.00
Desktops|Ormund Studio Cube|2199.00
Desktops|Kestrion Home One|899.00
Monitors|Lumenar View 24 IPS|159.00|139.00
Monitors|Lumenar View 27 QHD|289.00
Monitors|Lumenar Wide 34 Curved|499.00|449.00
Monitors|Tessaro Color 32 4K|749.00
Monitors|Velanta Rapid 27 240 Hz|429.00
Monitors|Halvex Office 22|109.00
Keyboards|Quillon Tact 75|119.00
Keyboards|Quillon Tact 100 Wireless|149.00|129.00
Keyboards|Quillon Slim|69.00
Keyboards|Velanta Blade RGB|99.00|79.00
Keyboards|Halvex Basic Set|34.90
Keyboards|Tessaro Split Ergo|189.00
Mice|Quillon Glide|39.00
Mice|Quillon Glide Pro|79.00|69.00
Mice|Velanta Fang 8K|89.00
Mice|Velanta Fang Lite|49.00|39.00
Mice|Tessaro Vertical|59.00
Mice|Halvex Travel Mouse|19.90
Headsets|Brontide Call 2|59.00
Headsets|Brontide Call 5 ANC|149.00|129.00
Headsets|Brontide Arena 7.1|99.00
Headsets|Velanta Echo Wireless|139.00
Headsets|Lumenar Buds Work|89.00|74.90
Headsets|Halvex Stereo USB|29.90
SSDs|Cindral NV4 1 TB|84.90|74.90
SSDs|Cindral NV4 2 TB|149.00|134.00
SSDs|Cindral NV5 4 TB|389.00
SSDs|Cindral Pocket 1 TB|99.00
SSDs|Ormund Vault 2 TB|179.00
SSDs|Ormund Vault 8 TB|749.00|699.00
Graphics cards|Velanta RX Nova 60|329.00
Graphics cards|Velanta RX Nova 70|549.00|519.00
Graphics cards|Velanta RX Nova 90|1599.00
Graphics cards|Tessaro GT Edge 12 GB|429.00
Graphics cards|Tessaro GT Edge 16 GB|619.00|579.00
Graphics cards|Halvex Low Profile 4 GB|149.00
Docks|Ormund Dock 8-in-1|129.00
Docks|Ormund Dock 12-in-1 Dual 4K|219.00|189.00
Docks|Kestrion Hub 5|49.00
Docks|Kestrion Thunder Dock|279.00
Docks|Halvex Travel Hub|29.90|24.90
Docks|Tessaro Desk Dock|169.00
Webcams|Lumenar Cam HD|49.00
Webcams|Lumenar Cam 2K|79.00|69.00
Webcams|Lumenar Cam 4K Pro|169.00
Webcams|Brontide Meet 180|249.00
Webcams|Halvex Webcam Basic|24.90
Webcams|Tessaro Cam Light|119.00|99.00
"""


@dataclass(frozen=True, slots=True)
class Product:
    """One product. `discount_price`, where there is one, is what is paid; `payload` is the event's `product`."""

    id: str
    name: str
    category: str
    brand: str
    price: Decimal
    discount_price: Decimal | None
    url_path: str
    payload: dict[str, Any]

    @property
    def paid(self) -> Decimal:
        """The price that is paid for one piece."""
        return self.price if self.discount_price is None else self.discount_price


def slug(text: str) -> str:
    """The text as a path segment."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _product(number: int, line: str) -> Product:
    category, name, price, *discount = line.split("|")
    fields: dict[str, Any] = {
        "id": f"sku-{1000 + number}",
        "name": name,
        "category": category,
        "brand": name.split()[0],
        "price": Decimal(price),
        "discount_price": Decimal(discount[0]) if discount else None,
        "url_path": f"/product/{slug(name)}",
    }
    payload = {key: value for key, value in fields.items() if value is not None}
    return Product(**fields, payload=payload)


PRODUCTS = tuple(_product(number, line) for number, line in enumerate(_LINES.strip().splitlines(), start=1))
#: At their discount price in every other week only.
DEALS = ("Kestrion AirBook 14", "Lumenar View 24 IPS", "Quillon Glide Pro", "Cindral NV4 1 TB")
#: What many take along with a product.
COMPANIONS = {
    "Kestrion AirBook 14": "Kestrion Hub 5",
    "Quillon Tact 75": "Quillon Glide",
    "Lumenar Cam HD": "Brontide Call 2",
    "Velanta RX Nova 60": "Cindral NV4 1 TB",
}
CATEGORIES = tuple(dict.fromkeys(product.category for product in PRODUCTS))
BRANDS = tuple(dict.fromkeys(product.brand for product in PRODUCTS))
#: Zipf-like: few products draw most views. The stride spreads the ranks over the categories.
POPULARITY = tuple(1 / (1 + (number * 37) % len(PRODUCTS)) ** 0.9 for number in range(len(PRODUCTS)))
_BY_NAME = {product.name: product for product in PRODUCTS}


def _at_list_price(product: Product) -> Product:
    payload = {key: value for key, value in product.payload.items() if key != "discount_price"}
    return replace(product, discount_price=None, payload=payload)


_WITHOUT_DEAL = {_BY_NAME[name].id: _at_list_price(_BY_NAME[name]) for name in DEALS}


def on(day: date, product: Product) -> Product:
    """The product at its price of that day."""
    return product if day.isocalendar().week % 2 else _WITHOUT_DEAL.get(product.id, product)


def companion(product: Product) -> Product | None:
    """What goes with a product."""
    return _BY_NAME[COMPANIONS[product.name]] if product.name in COMPANIONS else None


SEARCHES: dict[str, tuple[str, ...]] = {
    "Laptops": ("laptop", "gaming laptop", "laptop 14 inch", "airbook", "touch laptop"),
    "Desktops": ("mini pc", "gaming pc", "desktop computer"),
    "Monitors": ("4k monitor", "curved monitor", "monitor 27", "240hz"),
    "Keyboards": ("mechanical keyboard", "wireless keyboard", "ergonomic keyboard"),
    "Mice": ("wireless mouse", "gaming mouse", "vertical mouse"),
    "Headsets": ("headset", "noise cancelling headset", "usb headset"),
    "SSDs": ("ssd 2tb", "nvme", "external ssd"),
    "Graphics cards": ("graphics card", "rx nova 70", "gpu"),
    "Docks": ("usb-c dock", "thunderbolt dock", "usb hub"),
    "Webcams": ("webcam", "webcam 4k"),
}
ZERO_RESULT_SEARCHES = (
    "printer ink",
    "steam gift card",
    "iphone case",
    "labtop",
    "ddr5 64gb kit",
    "café racer stickers",
    "projector",
)
