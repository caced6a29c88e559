"""A session of a visitor that does not exist, which goes the whole way and is counted nowhere that matters."""

from __future__ import annotations

import http.client
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

USER_AGENT = "clickstream-canary/1.0"


@dataclass(frozen=True)
class Canary:
    """Three events of one visit. They buy nothing, and say that a machine drives the browser, which makes them a bot's: no
    revenue is ever invented, and every number without bots leaves them out."""

    name: str = field(default_factory=lambda: f"canary-{uuid.uuid4()}")
    event_ids: tuple[str, ...] = field(default_factory=lambda: tuple(str(uuid.uuid4()) for _ in range(3)))

    def events(self) -> list[dict[str, object]]:
        """As a tracker would send them."""
        now = datetime.now(UTC).isoformat()
        return [
            {
                "event_id": event_id,
                "event_name": name,
                "event_timestamp": now,
                "client_id": self.name,
                "session_id": self.name,
                "page_url": "https://canary.invalid/product/canary",
                "props": {"webdriver": True},
                **(
                    {} if name == "page_view" else {"product": {"id": "canary", "name": "Canary", "category": "Canary"}}
                ),
            }
            for event_id, name in zip(self.event_ids, ("page_view", "view_product", "add_to_cart"), strict=True)
        ]


def post(url: str, canary: Canary, origin: str) -> tuple[int, str]:
    """Send it as the shop's page would; the status and the body of the answer."""
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=30)
    headers = {"content-type": "application/json", "user-agent": USER_AGENT, **({"origin": origin} if origin else {})}
    try:
        connection.request("POST", address.path or "/", json.dumps({"events": canary.events()}), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
