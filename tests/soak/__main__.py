"""`python -m soak`, which is `make soak`."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import click

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.rebuild import rebuild_all
from soak.books import count
from soak.faults import Injector, plan
from soak.proxy import Proxy
from soak.recovery import Recovery
from soak.report import Figures, follow
from soak.sender import Senders
from soak.shop import Post, posts
from soak.site import Site, wait_for
from support.tables import differences, dump, unequal_sums

#: Requests a second, of some four events each.
RATE = 25


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="How long events come and things break.")
@click.option("--seed", default=1, show_default=True, help="Which events, and which faults when.")
@click.option(
    "--home", type=click.Path(path_type=Path), help="Keep warehouse and logs in this empty folder. Default: none."
)
def main(minutes: float, seed: int, home: Path | None) -> None:
    """Send a known set of events through the real gateway, loader and PostgreSQL while they are killed and their network and
    their store fail; then count. Exits with 1 when an event is lost or counted twice, or when a table differs from that of one
    quiet load of the same bucket.

    The seed gives the same events and the same plan of faults; which request a fault meets is up to the machine.
    """
    with tempfile.TemporaryDirectory(prefix="clickstream-soak-", ignore_cleanup_errors=True) as temporary:
        place = home or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)  # PostgreSQL runs as another user where we are root
        faults = soak(place, minutes * 60, seed)
    sys.exit(1 if faults else 0)


def soak(home: Path, seconds: float, seed: int) -> list[str]:
    """Run one; what is wrong, in sentences."""
    click.echo(f"Seed {seed}, {seconds:.0f} s. Making the events ...", err=True)
    sent = posts(seed, int(seconds * RATE))
    site = Site(home)
    try:
        figures = _torture(site, sent, seconds, seed)
        click.echo("Faults are over and all is sent. The last load ...", err=True)
        started = time.monotonic()
        _last_load(site)
        figures.last_load = time.monotonic() - started
        books = count(sent, figures.senders.acknowledged, site.store, site.warehouse())
        click.echo("One quiet load of the same bucket into an empty warehouse ...", err=True)
        found = [*books.faults(), *figures.senders.faults(), *_unlike_a_quiet_load(site)]
        figures.show(books, found)
        return found
    finally:
        site.close()


def _torture(site: Site, sent: list[Post], seconds: float, seed: int) -> Figures:
    """Send all while things break, until all of it is acknowledged."""
    recovery = Recovery()
    front, store = Proxy("front", site.collector_port, seed), Proxy("store", site.bucket_port, seed + 1)
    collector = site.collector(store.port)
    loader = site.loader(store.port, lambda line: recovery.note("loaded"))
    try:
        wait_for(site.collector_port)
        senders = Senders(sent, front.port, seconds, seed, lambda: recovery.note("acknowledged"))
        injector = Injector(site, front, store, collector, loader, recovery)
        figures = Figures(seed, seconds, senders, injector, front, store, collector, loader, recovery)
        senders.start()
        breaking = Thread(target=injector.run, args=(plan(seed, seconds),), daemon=True)
        breaking.start()
        follow(figures, lambda: not breaking.is_alive() and senders.is_done)
        injector.finish()
        return figures
    finally:
        loader.stop()
        collector.stop()


def _last_load(site: Site) -> None:
    """The real command: nothing that came before may keep it from loading the rest."""
    done = site.materialize(site.bucket_port)
    said, _ = done.communicate(timeout=1200)
    if done.returncode:
        raise click.ClickException(f"the last load failed: {said}{(site.home / 'materialize.log').read_text()[-2000:]}")


def _unlike_a_quiet_load(site: Site) -> list[str]:
    """How the tables differ from those of a warehouse that loads this bucket at once, and sums from what they are sums of."""
    with site.warehouse().warehouse() as soaked, site.warehouse("quiet").warehouse() as quiet:
        with transaction(soaked) as cursor:
            cursor.execute("select min(partition_hour), max(partition_hour) from loaded_hours")
            first, last = cursor.fetchall()[0]
        load_hours(quiet, site.store, first, last + HOUR)
        rebuild_all(quiet)
        wrong = [f"{name} is not the sum of its facts: {rows[:1]}" for name, rows in unequal_sums(soaked).items()]
        unlike = differences(dump(soaked), dump(quiet))
    return wrong + [
        f"{name} differs from a quiet load: {len(ours):,} rows are only here, such as {ours[:1]}; "
        f"{len(theirs):,} only there, such as {theirs[:1]}"
        for name, (ours, theirs) in unlike.items()
    ]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
