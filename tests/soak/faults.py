"""When what breaks. A seed gives one plan; what a fault then meets is up to the machine."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from subprocess import Popen

from soak.processes import Kept
from soak.proxy import Proxy
from soak.recovery import Recovery
from soak.site import Site

KILLS = ("collector killed", "loader killed", "PostgreSQL killed")
SECOND = "second loader"
#: Between browsers and the collector, and between ours and the store: `proxy.py`.
FRONT = ("held", "repeated", "request cut", "answer lost", "answer cut", "cut after")
STORE = ("slow", "hanging", "refusing", "slow down", "failing", "full", "answer lost", "answer cut")
ALL = (*KILLS, SECOND, *(f"front {fault}" for fault in FRONT), *(f"store {fault}" for fault in STORE))
#: Seconds from one to the next.
PACE = (1, 3.4)


@dataclass(frozen=True)
class Episode:
    """From `at` on, for so many seconds, with so large a share of the requests broken."""

    at: float
    fault: str
    seconds: float
    share: float


def plan(seed: int, seconds: float) -> list[Episode]:
    """All faults in turn, in another order each time, a second or two apart, so that some are on together."""
    chance = random.Random(seed)
    episodes: list[Episode] = []
    at, deck = 2.0, []
    while at < seconds - 2:
        deck = deck or chance.sample(ALL, len(ALL))
        fault = deck.pop()
        share = chance.choice((0.3, 0.6, 1.0)) if fault.startswith("store") else chance.uniform(0.1, 0.5)
        episodes.append(Episode(at, fault, min(chance.uniform(1.5, 6), seconds - at), share))
        at += chance.uniform(*PACE)
    return episodes


class Injector:
    """Carries out a plan, in a thread."""

    def __init__(
        self, site: Site, front: Proxy, store: Proxy, collector: Kept, loader: Kept, recovery: Recovery
    ) -> None:
        self.done: Counter[str] = Counter()
        self.now: set[str] = set()
        self._site, self._collector, self._loader, self._recovery = site, collector, loader, recovery
        self._proxies = {"front": front, "store": store}
        self._second: Popen[str] | None = None

    def run(self, episodes: list[Episode]) -> None:
        """Returns when all of them are over."""
        begun = time.monotonic()
        running = []
        for episode in episodes:
            time.sleep(max(0.0, begun + episode.at - time.monotonic()))
            running.append(threading.Thread(target=self._inject, args=(episode,)))
            running[-1].start()
        for thread in running:
            thread.join()

    def finish(self) -> None:
        """The second loader ends by itself."""
        if self._second:
            self._second.wait()

    def _inject(self, episode: Episode) -> None:
        self.now.add(episode.fault)
        where, _, what = episode.fault.partition(" ")
        if where in self._proxies:
            self._break(self._proxies[where], what, episode)
        elif episode.fault == SECOND:
            self._start_second()
        else:
            self._kill(episode)
        self.now.discard(episode.fault)

    def _break(self, proxy: Proxy, what: str, episode: Episode) -> None:
        self.done[episode.fault] += 1
        proxy.faults[what] = episode.share
        time.sleep(episode.seconds)
        proxy.faults.pop(what, None)
        self._recovery.expect(episode.fault, "acknowledged")

    def _kill(self, episode: Episode) -> None:
        self.done[episode.fault] += 1
        if episode.fault == "collector killed":
            self._collector.pause = episode.seconds / 4
            self._collector.kill()
            self._recovery.expect(episode.fault, "acknowledged")
            return
        if episode.fault == "PostgreSQL killed":
            self._site.kill_postgres()
        else:
            self._loader.kill()
            if self._second and episode.share > 0.3:
                self._second.kill()
        self._recovery.expect(episode.fault, "loaded")

    def _start_second(self) -> None:
        if self._second and self._second.poll() is None:
            return
        self.done[SECOND] += 1
        self._second = self._site.materialize(self._proxies["store"].port)
