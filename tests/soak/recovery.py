"""How long it takes until work goes on again."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict


class Recovery:
    """From the end of a fault, or from a kill, to the next request that is acknowledged, or the next load that is done."""

    def __init__(self) -> None:
        self.successes: Counter[str] = Counter()
        self.worst: dict[str, float] = defaultdict(float)
        self._waiting: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def expect(self, fault: str, success: str) -> None:
        with self._lock:
            self._waiting.setdefault((fault, success), time.monotonic())

    def note(self, success: str) -> None:
        with self._lock:
            self.successes[success] += 1
            for fault, what in [waiting for waiting in self._waiting if waiting[1] == success]:
                took = time.monotonic() - self._waiting.pop((fault, what))
                self.worst[fault] = max(self.worst[fault], took)
