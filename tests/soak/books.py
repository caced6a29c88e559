"""What became of each event: what the senders were told, what lies in the bucket, and what the warehouse counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse.connection import transaction
from soak.shop import Post, stored_lines


@dataclass
class Books:
    """Copies of events, by where they were counted. `rejected` are lines, of which one request may leave several sets."""

    known: set[UUID] = field(default_factory=set)
    acknowledged: Counter[UUID] = field(default_factory=Counter)
    acknowledged_rejects: int = 0
    unanswered: int = 0
    stored: Counter[UUID] = field(default_factory=Counter)
    stored_rejects: int = 0
    events: Counter[UUID] = field(default_factory=Counter)
    duplicates: Counter[UUID] = field(default_factory=Counter)
    rejects: int = 0
    ledger: tuple[int, int, int, int] = (0, 0, 0, 0)

    def figures(self) -> list[tuple[str, int]]:
        """The way of all copies."""
        acknowledged = self.acknowledged.total() + self.acknowledged_rejects
        received, loaded, duplicate, rejected = self.ledger
        return [
            ("acknowledged", acknowledged),
            ("stored, and the answer was lost", self.stored.total() + self.stored_rejects - acknowledged),
            ("received", received),
            ("= loaded", loaded),
            ("+ duplicate", duplicate),
            ("+ rejected", rejected),
        ]

    def faults(self) -> list[str]:
        """What does not add up, a sentence each; empty is the promise kept."""
        received, loaded, duplicate, rejected = self.ledger
        wrong = {
            "events lost: acknowledged, and not in the warehouse": set(self.acknowledged) - set(self.events),
            "events counted twice": {event for event, copies in self.events.items() if copies > 1},
            "events that nobody sent": set(self.events) - self.known,
            "events acknowledged more often than stored": set(self.acknowledged - self.stored),
            "copies in the bucket that the tables do not have": set(self.stored - (self.events + self.duplicates)),
            "copies in the tables that the bucket does not have": set((self.events + self.duplicates) - self.stored),
        }
        found = [f"{len(ids):,} {what}, such as {min(ids)}" for what, ids in wrong.items() if ids]
        equal = {
            "requests without an answer": (self.unanswered, 0),
            "known events, and events loaded": (len(self.known), loaded),
            "lines in the bucket, and received": (self.stored.total() + self.stored_rejects, received),
            "received, and loaded + duplicate + rejected": (received, loaded + duplicate + rejected),
            "rejected lines in the bucket, in the table, in the ledger": (self.stored_rejects, self.rejects, rejected),
        }
        found += [f"{what}: {' and '.join(f'{n:,}' for n in n_s)}" for what, n_s in equal.items() if len(set(n_s)) > 1]
        if self.stored_rejects < self.acknowledged_rejects:
            found.append(f"rejects: {self.acknowledged_rejects:,} acknowledged, {self.stored_rejects:,} stored")
        return found


def count(posts: Iterable[Post], acknowledged: Counter[int], store: object, stack: Stack) -> Books:
    """Count in all three places."""
    books = Books()
    for post in posts:
        answers = acknowledged[post.number]
        books.known.update(post.ids)
        books.unanswered += not answers
        books.acknowledged_rejects += answers * post.rejected
        for event in post.ids:
            books.acknowledged[event] += answers
    for key, line in stored_lines(store):
        if key.startswith("events/"):
            books.stored[UUID(msgspec.json.decode(line)["event_id"])] += 1
        else:
            books.stored_rejects += 1
    with stack.warehouse() as connection, transaction(connection) as cursor:
        for counter, table in ((books.events, "clickstream_events"), (books.duplicates, "duplicate_events")):
            cursor.execute(f"select event_id::text, count(*) from {table} group by 1")
            counter.update({UUID(event): copies for event, copies in cursor.fetchall()})
        cursor.execute("select count(*) from rejected_events")
        [(books.rejects,)] = cursor.fetchall()
        cursor.execute(
            "select sum(received)::int, sum(loaded)::int, sum(duplicate)::int, sum(rejected)::int from etl_ledger"
        )
        [books.ledger] = cursor.fetchall()
    return books
