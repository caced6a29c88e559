"""A test visit: a shopper that does not exist goes the way that every event goes, and counts in no number.

Before it is sent, a note of it is put where no stranger can write, in the raw bucket. What arrives is compared with the notes,
and a visit's name cannot be guessed, so nobody can have one arrive or be missed but who sends it.
"""

from __future__ import annotations

import http.client
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from ingest_lambda import landing, settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

USER_AGENT = "clickstream-canary/1.0"
STEPS = ("page_view", "view_product", "add_to_cart", "checkout", "purchase")
#: The code under which the loader sets its events aside.
CODE = "canary"
_NAME = re.compile(r"clickstream-canary-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PRODUCT = {"id": "canary", "name": "Canary", "category": "Canary", "price": 1}
_SHOWN = 200


class Canary(msgspec.Struct, forbid_unknown_fields=True):
    """The note of one visit: its name, which is its `client_id`, and what the collector answered; None while it is on its
    way."""

    name: str
    sent_at: datetime
    steps: Sequence[str] = STEPS
    answer: str | None = None

    @property
    def key(self) -> str:
        """Where its note lies."""
        return f"{landing.hour_prefix(self.sent_at, landing.OPERATIONS)}{self.name}.json"

    def events(self) -> list[dict[str, object]]:
        """As a tracker would send them."""
        events: list[dict[str, object]] = []
        for step in self.steps:
            event: dict[str, object] = {
                "event_id": str(uuid.uuid4()),
                "event_name": step,
                "event_timestamp": self.sent_at.isoformat(),
                "client_id": self.name,
                "session_id": self.name,
                "page_url": "https://canary.invalid/product/canary",
                "props": {"webdriver": True},
            }
            if step == "purchase":
                event["order"] = {"id": self.name, "value": 1, "currency": "EUR", "items": [{"product_id": "canary"}]}
            elif step != "page_view":
                event["product"] = _PRODUCT
            events.append(event)
        return events


def new(now: datetime) -> Canary:
    """A visit with a name that nobody can guess."""
    return Canary(f"clickstream-canary-{uuid.uuid4()}", now)


def is_name(client_id: str | None) -> bool:
    """Whether a visitor's id is kept for test visits. The one place that says which events count in no number."""
    return client_id is not None and client_id.startswith("clickstream-canary-") and bool(_NAME.fullmatch(client_id))


def is_note(key: str) -> bool:
    """Whether a key under operations/ is of a note."""
    return bool(_NAME.fullmatch(key.rpartition("/")[2].removesuffix(".json")))


def message(name: str, step: str) -> str:
    """What is written beside an event that is set aside; by it the arrival is found."""
    return f"{name} {step}"


def send(url: str, store: ObjectStore, now: datetime | None = None) -> Canary:
    """Note a new visit, send it, and note the answer. A collector that does not answer is an answer too."""
    canary = new(now or datetime.now(UTC))
    _note(canary, store)
    try:
        status, said = post(url, canary)
        canary.answer = "200" if status == 200 else f"{status} {said[:_SHOWN]}"
    except (OSError, http.client.HTTPException) as error:
        canary.answer = f"no answer: {error!r}"[:_SHOWN]
    _note(canary, store)
    return canary


def post(url: str, canary: Canary, origin: str = "") -> tuple[int, str]:
    """Send it as the shop's page would; the status and the body of the answer."""
    address = urlsplit(settings.web_address("the URL of the collector", url))
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.netloc, timeout=30)
    headers = {"content-type": "application/json", "user-agent": USER_AGENT, **({"origin": origin} if origin else {})}
    try:
        connection.request("POST", address.path or "/", msgspec.json.encode({"events": canary.events()}), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def _note(canary: Canary, store: ObjectStore) -> None:
    store.put(canary.key, msgspec.json.encode(canary))
