"""What a soak prints: a line while it runs, and its figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from soak.books import Books
from soak.faults import ALL, Injector
from soak.processes import Kept
from soak.proxy import Proxy
from soak.recovery import Recovery
from soak.sender import Senders


@dataclass
class Figures:
    """The parts that count while it runs."""

    seed: int
    seconds: float
    senders: Senders
    injector: Injector
    front: Proxy
    store: Proxy
    collector: Kept
    loader: Kept
    recovery: Recovery
    begun: float = field(default_factory=time.monotonic)
    took: float = 0.0
    last_load: float = 0.0

    def line(self) -> str:
        """How far it is."""
        broken = ", ".join(sorted(self.injector.now)) or "nothing"
        answered = len(self.senders.acknowledged)
        return (
            f"{time.monotonic() - self.begun:5.0f} s  {answered:,} of {self.senders.total:,} requests acknowledged, "
            f"{self.senders.statuses.total() - self.senders.acknowledged.total():,} tries failed; broken: {broken}"
        )

    def show(self, books: Books, found: list[str]) -> None:
        """All of it."""
        senders = self.senders
        click.echo(
            f"\nSeed {self.seed}: {len(books.known):,} events in {senders.total:,} requests, sent by "
            f"{senders.statuses.total():,} tries in {self.took:.0f} s.\n"
        )
        answers = {str(status or "none"): n for status, n in sorted(senders.statuses.items())}
        click.echo("answers         " + ", ".join(f"{status}: {n:,}" for status, n in answers.items()))
        click.echo(f"starts          collector {self.collector.starts:,}, loader {self.loader.starts:,}")
        click.echo(
            f"loads           {self.recovery.successes['loaded']:,} whole ones meanwhile, the last one {self.last_load:.0f} s\n"
        )
        broken = {f"front {fault}": n for fault, n in self.front.broken.items()}
        broken |= {f"store {fault}": n for fault, n in self.store.broken.items()}
        click.echo(f"{'fault':22} {'injected':>8} {'requests':>9} {'worst recovery':>15}")
        for fault in ALL:
            worst = self.recovery.worst.get(fault)
            click.echo(
                f"{fault:22} {self.injector.done[fault]:8,} {broken.get(fault, '') or '':>9} "
                f"{'' if worst is None else f'{worst:.1f} s':>15}"
            )
        click.echo("")
        for what, number in books.figures():
            click.echo(f"{what:32} {number:>10,}")
        click.echo("")
        for sentence in found:
            click.echo(f"WRONG: {sentence}")
        click.echo(
            f"{len(found)} things differ; seed {self.seed}."
            if found
            else "Lost 0, doubled 0; every table is byte-equal to one quiet load."
        )


def follow(figures: Figures, is_done: Callable[[], bool]) -> None:
    """Show how far it is until it is done: in place on a terminal, else a line every ten seconds."""
    is_terminal = sys.stderr.isatty()
    shown = 0.0
    while not is_done():
        if is_terminal or time.monotonic() - shown > 10:
            click.echo("\r\x1b[K" + figures.line() if is_terminal else figures.line(), nl=not is_terminal, err=True)
            shown = time.monotonic()
        time.sleep(0.5)
    figures.took = time.monotonic() - figures.begun
    click.echo("", err=True)
