"""What real traffic brings besides customers: crawlers, reloads, retries, late batches, and events that are wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from clickstream_dagster.local.traffic.browser import Event, Hit, Tab, Visit
from clickstream_dagster.local.traffic.catalogue import CATEGORIES, PRODUCTS, slug
from clickstream_dagster.local.traffic.deliveries import Delivery
from clickstream_dagster.local.traffic.visitors import ARRIVALS, new_visitor, uuid4

#: Crawls per visit of a person.
CRAWLS = 0.016
RELOAD = 0.08
RETRY = 0.015
CONFLICT = 0.004
OFFLINE = 0.01
MALFORMED = 0.02
#: One view of a product in so many has a price that is no number. The event counts, with a warning.
ODD_PRICE = 300
BROKEN_BODY = 0.002
PERSONAL_URL = 0.004
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
    "python-requests/2.32.4",
)


def crawl(rng: random.Random, start: datetime) -> Visit:
    """A crawler reads pages at a machine's pace and never buys."""
    visitor = new_visitor(rng)
    visitor.user_agent, visitor.dialect, visitor.clock_skew = rng.choice(CRAWLERS), "canonical", timedelta(0)
    tab = Tab(rng, visitor, start, ARRIVALS[-1])
    for _ in range(rng.choice((1, 4, 12, 25, 40))):
        if rng.random() < 0.7:
            product = rng.choice(PRODUCTS)
            tab.page(product.url_path, product.name, "view_product", product=product.payload)
        else:
            category = rng.choice(CATEGORIES)
            tab.page(f"/category/{slug(category)}", category)
        tab.now += timedelta(milliseconds=rng.randint(400, 3_000))
    visit = tab.close()
    visit.is_bot = True
    return visit


def disturb_visit(rng: random.Random, visit: Visit) -> None:
    """Reload the thank-you page, follow a newsletter link that has the reader's address in it, or be told an odd price."""
    if visit.orders and rng.random() < RELOAD:
        _reload(rng, visit)
    if rng.random() < PERSONAL_URL:
        url = visit.hits[0].event["page_url"]
        address = f"{rng.choice(('jo', 'kim', 'sam'))}.{rng.randrange(1000)}@mail.example"
        visit.hits[0].event["page_url"] = f"{url}{'&' if '?' in url else '?'}email={address}"
    for hit in visit.hits:
        if hit.event["event_name"] == "view_product" and UUID(str(hit.event["event_id"])).int % ODD_PRICE == 0:
            hit.event["product"] = {**hit.event["product"], "price": "12,50 €"}


def _reload(rng: random.Random, visit: Visit) -> None:
    """The thank-you page again: new events, the same order."""
    delay = timedelta(milliseconds=rng.randint(2_000, 240_000))
    for hit in visit.hits[-2:]:
        at = hit.at + delay
        visit.hits.append(Hit(at, {**hit.event, "event_id": uuid4(rng), "event_timestamp": at}, "reload"))
    visit.visitor.seen_until = visit.hits[-1].at


def disturb_delivery(rng: random.Random, delivery: Delivery) -> Iterator[Delivery]:
    """What becomes of a batch on its way: itself, late or with wrong events in it, and what comes besides it."""
    # The oldest tracker keeps nothing while it is offline.
    if rng.random() < OFFLINE and delivery.visitor.dialect != "camel":
        hours = rng.uniform(1.2, 6) if rng.random() < 0.7 else rng.uniform(20, 30)
        delivery = delivery.delayed(timedelta(milliseconds=int(3_600_000 * hours)))
    if rng.random() < MALFORMED:
        wrong = _malformed(rng, delivery.hits[-1])
        delivery = replace(delivery, hits=[*delivery.hits, wrong])
    yield delivery
    if rng.random() < RETRY:
        # The answer was lost: the tracker sends the very same bytes again.
        received_at = delivery.received_at + timedelta(milliseconds=rng.randint(1_500, 90_000))
        yield replace(delivery, received_at=received_at, is_retry=True)
    if rng.random() < CONFLICT:
        yield _conflict(rng, delivery)
    if rng.random() < BROKEN_BODY:
        yield _broken_body(rng, delivery)


def _conflict(rng: random.Random, delivery: Delivery) -> Delivery:
    """A page that was restored from a cache sends its first event again, under its old id, with another title."""
    first = delivery.hits[0]
    changed = Hit(first.at, {**first.event, "page_title": "Restored page | Bitforge"}, "conflict")
    return replace(delivery, hits=[changed], is_gzip=False).delayed(timedelta(seconds=rng.randint(20, 300)))


def _broken_body(rng: random.Random, delivery: Delivery) -> Delivery:
    """A body of one event whose end was lost."""
    hit = _as_malformed(rng, delivery.hits[0])
    return replace(delivery, hits=[hit], is_gzip=False, is_cut_short=True).delayed(timedelta(seconds=1))


def _malformed(rng: random.Random, hit: Hit) -> Hit:
    wrong = _as_malformed(rng, hit)
    rng.choice(_MISTAKES)(wrong.event)
    return wrong


def _as_malformed(rng: random.Random, hit: Hit) -> Hit:
    event = {key: value for key, value in hit.event.items() if key != "order"}
    return Hit(hit.at, {**event, "event_id": uuid4(rng), "event_name": "view_product"}, "malformed")


def _no_uuid(event: Event) -> None:
    event["event_id"] = "view-17"


def _spaced_name(event: Event) -> None:
    event["event_name"] = "Viewed a product"


def _not_a_number(event: Event) -> None:
    # A careless script divides by zero and writes the result into its JSON by hand.
    event["product"] = _priced(msgspec.Raw(b"NaN"))


def _priced(price: object) -> Event:
    return {"id": PRODUCTS[0].id, "category": PRODUCTS[0].category, "price": price}


def _no_name(event: Event) -> None:
    del event["event_name"]


def _no_visitor(event: Event) -> None:
    for key in ("client_id", "session_id", "user_id"):
        event.pop(key, None)


_MISTAKES: tuple[Callable[[Event], None], ...] = (_no_uuid, _spaced_name, _no_name, _no_visitor, _not_a_number)
