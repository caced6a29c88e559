"""Senders that do as the tracker does (`tracker/src/delivery.ts`): the same events again until the collector's own JSON answers
for them, with a time limit, patience that grows, and Retry-After. Their waits are a tenth of the tracker's, so that minutes
hold as many tries as half an hour."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Any

from soak.shop import Post

HASTE = 10
TIMEOUT = 6.0
LONGEST_WAIT = 300.0
SENDERS = 24
#: One in so many acknowledged requests is sent once more, later: by a tab that was killed before it noted the answer.
AGAIN = 20

Answer = tuple[int, float, Any]


class Senders:
    """Threads that share the requests. `acknowledged` counts, by a request's number, how often it was answered for."""

    def __init__(self, posts: list[Post], port: int, seconds: float, seed: int, note: Callable[[], None]) -> None:
        self.acknowledged: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()  # 0 is no answer
        #: Requests that were answered otherwise than a quiet collector answers them.
        self.strange: dict[int, str] = {}
        self.total = len(posts)
        self._port, self._note = port, note
        self._lock = threading.Lock()
        self._due = _paced(posts, seconds)
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 1000 + number),), daemon=True)
            for number in range(SENDERS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def faults(self) -> list[str]:
        return [f"request {number} was answered {what}" for number, what in self.strange.items()]

    def _run(self, chance: random.Random) -> None:
        again: list[Post] = []
        while post := self._take():
            self._deliver(post, chance)
            if chance.randrange(AGAIN) == 0:
                again.append(post)
            if len(again) > 3:
                self._deliver(again.pop(0), chance)
        for post in again:
            self._deliver(post, chance)

    def _take(self) -> Post | None:
        with self._lock:
            due, post = next(self._due, (0.0, None))
        time.sleep(max(0.0, due - time.monotonic()))
        return post

    def _deliver(self, post: Post, chance: random.Random) -> None:
        failures = 0
        while not self._settle(post, answer := self._send(post)):
            failures += 1
            wait = answer[1] * (1 + chance.random() / 10) or chance.random() * min(LONGEST_WAIT, 2.0**failures)
            time.sleep(wait / HASTE)

    def _send(self, post: Post) -> Answer:
        """The status, 0 without an answer; what it asks to wait; and the collector's words."""
        try:
            with closing(HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)) as connection:
                connection.request("POST", post.path, post.body, post.headers)
                response = connection.getresponse()
                return response.status, float(response.getheader("retry-after") or 0), json.loads(response.read())
        except (OSError, HTTPException, ValueError):
            return 0, 0.0, None

    def _settle(self, post: Post, answer: Answer) -> bool:
        """Is there nothing more to send?"""
        status, _, verdict = answer
        told = verdict if isinstance(verdict, dict) else {}
        is_settled = status == 200 or (400 <= status < 500 and status not in (408, 429))
        with self._lock:
            self.statuses[status] += 1
            if is_settled:
                self.acknowledged[post.number] += 1
                if (told.get("accepted"), told.get("rejected")) != (len(post.ids), post.rejected):
                    self.strange[post.number] = f"{status} {verdict}"
        if is_settled:
            self._note()
        return is_settled


def _paced(posts: list[Post], seconds: float) -> Iterator[tuple[float, Post]]:
    """Each request with the moment from which on it is to be sent."""
    begun = time.monotonic()
    for number, post in enumerate(posts):
        yield begun + seconds * number / len(posts), post
