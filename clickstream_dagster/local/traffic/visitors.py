"""Who comes to the shop: each visitor's browser, country and account, and the way that brought them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32

from clickstream_dagster.local.traffic.catalogue import EURO_HOST, MAIN_HOST, Product
from clickstream_dagster.local.traffic.clients import CLIENTS


class Arrival(NamedTuple):
    """A way into the shop. `zeal` scales how likely its visitors are to go on, around 1."""

    weight: float
    referrer: str | None
    query: str
    zeal: float


ARRIVALS = (
    Arrival(22, "https://www.google.com/", "", 1.0),
    Arrival(4, "https://www.bing.com/", "", 1.0),
    Arrival(2, "https://duckduckgo.com/", "", 1.0),
    Arrival(8, "https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=laptops&gclid={click}", 1.2),
    Arrival(5, "https://www.google.com/", "utm_source=google&utm_medium=cpc&utm_campaign=brand&gclid={click}", 1.5),
    Arrival(2, "https://www.bing.com/", "utm_source=bing&utm_medium=cpc&utm_campaign=monitors&msclkid={click}", 1.1),
    Arrival(6, "https://l.facebook.com/", "", 0.5),
    Arrival(5, "https://l.instagram.com/", "", 0.45),
    Arrival(5, None, "utm_source=facebook&utm_medium=paid_social&utm_campaign=back-to-desk&fbclid={click}", 0.6),
    Arrival(3, "https://www.reddit.com/", "", 0.7),
    Arrival(3, None, "utm_source=adspan&utm_medium=display&utm_campaign=retargeting", 0.5),
    Arrival(7, None, "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-deals", 1.7),
    Arrival(4, None, "utm_source=pixelpicks&utm_medium=affiliate&utm_campaign=top-10", 1.3),
    Arrival(3, "https://forum.deskbuilders.example/", "", 0.9),
    Arrival(4, "https://chatgpt.com/", "utm_source=chatgpt.com", 1.4),
    Arrival(2, "https://www.perplexity.ai/", "", 1.3),
    Arrival(18, None, "", 1.1),
)


# Country, weight, language, city. The euro storefront serves the countries in _EURO.
_COUNTRIES = (
    ("US", 40, "en-US", "Chicago"),
    ("GB", 14, "en-GB", "Leeds"),
    ("CA", 8, "en-CA", "Toronto"),
    ("VN", 8, "vi-VN", "Ho Chi Minh City"),
    ("AU", 6, "en-AU", "Melbourne"),
    ("IN", 6, "en-IN", "Pune"),
    ("DE", 6, "de-DE", "Hamburg"),
    ("JP", 5, "ja-JP", "Osaka"),
    ("FR", 4, "fr-FR", "Lyon"),
    ("NL", 3, "nl-NL", "Utrecht"),
)
_EURO = frozenset({"DE", "FR", "NL"})
_CLIENT_WEIGHTS = tuple(client.weight for client in CLIENTS)
_ARRIVAL_WEIGHTS = tuple(arrival.weight for arrival in ARRIVALS)
_COUNTRY_WEIGHTS = tuple(country[1] for country in _COUNTRIES)
#: Clocks that are wrong by hours, days or a year, not by seconds: the collector corrects them from `sent_at`.
_SKEWS = (timedelta(hours=-7), timedelta(hours=3), timedelta(days=-2), timedelta(days=1), timedelta(days=365))


@dataclass(slots=True)
class Visitor:
    """One browser of one person, with what it remembers between visits."""

    client_id: str
    account_id: str | None
    host: str
    user_agent: str
    device: dict[str, Any]
    geo: dict[str, Any]
    arrival: Arrival
    zeal: float
    dialect: str
    clock_skew: timedelta
    seen_until: datetime | None = None
    signed_in: bool = False
    visits: int = 0
    cart: dict[str, tuple[Product, int]] = field(default_factory=dict)

    @property
    def variant(self) -> str:
        """The half of the shop's experiment that this browser is in, for good."""
        return "badges" if crc32(self.client_id.encode()) % 2 else "control"


def uuid4(rng: random.Random) -> str:
    """A version 4 UUID out of the seeded generator."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def new_visitor(rng: random.Random) -> Visitor:
    """A browser that the shop has not seen before."""
    client = rng.choices(CLIENTS, _CLIENT_WEIGHTS)[0]
    country, _, language, city = rng.choices(_COUNTRIES, _COUNTRY_WEIGHTS)[0]
    device = {"type": client.type, "os": client.os, "browser": client.browser, "language": language}
    return Visitor(
        client_id=uuid4(rng),
        account_id=f"u_{rng.getrandbits(64):016x}" if rng.random() < 0.3 else None,
        host=EURO_HOST if country in _EURO else MAIN_HOST,
        user_agent=client.user_agent,
        device={**device, "screen": client.screen},
        geo={"country": country, "city": city} if rng.random() < 0.8 else {"country": country},
        arrival=rng.choices(ARRIVALS, _ARRIVAL_WEIGHTS)[0],
        zeal={"desktop": 1.15, "mobile": 0.8, "tablet": 1.0}[client.type],
        dialect=rng.choices(("canonical", "camel", "v1"), (90, 4, 6))[0],
        clock_skew=rng.choice(_SKEWS) if rng.random() < 0.015 else timedelta(0),
    )


def second_browser(rng: random.Random, owner: Visitor) -> Visitor:
    """Another browser of the same person: a phone beside the laptop, joined only by the account."""
    other = new_visitor(rng)
    other.account_id, other.host, other.geo, other.signed_in = owner.account_id, owner.host, owner.geo, True
    return other


def arrival_of(rng: random.Random, visitor: Visitor) -> Arrival:
    """How this visit began. A visitor keeps to their way mostly; those who know the shop often come directly."""
    draw = rng.random()
    if visitor.visits and draw < 0.35:
        return ARRIVALS[-1]
    return visitor.arrival if draw < 0.85 else rng.choices(ARRIVALS, _ARRIVAL_WEIGHTS)[0]
