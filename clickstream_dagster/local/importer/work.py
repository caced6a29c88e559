"""Chunks of a file become lines of raw objects: in processes, one for each core, where the file is large. What comes out is
the same, in the same order."""

from __future__ import annotations

import os
import signal
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context, parent_process
from threading import Thread

from clickstream_dagster.local.importer.opening import ImportFailed
from clickstream_dagster.local.importer.records import Reader
from clickstream_dagster.local.importer.source import Chunk, Source
from clickstream_dagster.partitions import floor_hour
from ingest_lambda import contract
from ingest_lambda.contract import ORDER_EVENTS, Event, EventWarning, Reject
from ingest_lambda.rejects import rejection

#: A smaller file is done before a process has begun.
LARGE_BYTES = 2_000_000
#: More would wait for the one that reads the file and writes the objects.
MAX_PROCESSES = 6
#: So many chunks for each process are on their way at once.
AHEAD = 3


@dataclass
class Lines:
    """The events of a chunk in one hour: their lines, and what each line's id is made of, end to end."""

    text: bytearray = field(default_factory=bytearray)
    digests: bytearray = field(default_factory=bytearray)


@dataclass
class Done:
    """What became of a chunk. What is refused is kept in the hour of the event before it; before the first event it is
    `early`, and has no hour yet. `examples` has the first piece that was refused for each reason. `left_out` counts what is no
    event by its reason, `warnings` events by what could not be kept as it was. Of `orders`, some are `without_amount`: what
    was paid or given back could not be read."""

    events: dict[datetime, Lines] = field(default_factory=dict)
    rejects: dict[datetime, bytearray] = field(default_factory=dict)
    early: list[tuple[Reject, bytes]] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], bytes] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    count: int = 0
    orders: int = 0
    without_amount: int = 0
    first: datetime | None = None
    last: datetime | None = None
    position: int = 0


def work(reader: Reader, chunk: Chunk) -> Done:
    """Read each piece of a chunk."""
    done = Done(position=chunk.position)
    for piece in chunk.pieces:
        for outcome, digest in reader.read(piece):
            if isinstance(outcome, Event):
                _keep(done, outcome, digest)
            elif isinstance(outcome, Reject):
                _refuse(done, outcome, (piece if isinstance(piece, bytes) else piece.text).strip())
            else:
                done.left_out[outcome.why] += 1
    return done


def _keep(done: Done, event: Event, digest: bytes) -> None:
    done.count += 1
    done.last = event.received_at
    done.first = done.first or done.last
    hour = floor_hour(done.last)
    lines = done.events.get(hour)
    if lines is None:
        lines = done.events[hour] = Lines()
    lines.text += contract.encode(event)
    lines.text += b"\n"
    lines.digests += digest
    if event.event_name in ORDER_EVENTS:
        done.orders += 1
        done.without_amount += any(map(_loses_money, event.warnings))
    done.warnings.update({warning.code for warning in event.warnings})


def _loses_money(warning: EventWarning) -> bool:
    """A line below zero as a whole, whose field is its place, has become a discount."""
    is_line = (warning.field or "").endswith("]")
    return warning.code == "missing_amount" or (warning.code == "invalid_price" and not is_line)


def _refuse(done: Done, reason: Reject, body: bytes) -> None:
    done.reasons[reason.code, reason.message] += 1
    done.examples.setdefault((reason.code, reason.message), body)
    if done.last is None:
        done.early.append((reason, body))
    else:
        done.rejects.setdefault(floor_hour(done.last), bytearray()).extend(kept(reason, body, done.last))


def kept(reason: Reject, body: bytes, moment: datetime) -> bytes:
    """What is refused, as a line."""
    return contract.encode(rejection(reason, body, moment)) + b"\n"


def work_through(source: Source, size: int) -> Iterator[Done]:
    """Every chunk of a file, of `size` pieces each, in its order. Raises `ImportFailed`."""
    processes = min(os.cpu_count() or 1, MAX_PROCESSES)
    if processes == 1 or source.path.stat().st_size < LARGE_BYTES:
        reader = source.reader()
        yield from (work(reader, chunk) for chunk in source.chunks(size))
        return
    try:
        yield from _in_processes(source, size, processes)
    except BrokenProcessPool as error:
        raise ImportFailed(
            f"A process that read {source.path} was killed, most likely for want of memory. "
            "Import the file again: what is stored already is not stored twice."
        ) from error


def _in_processes(source: Source, size: int, processes: int) -> Iterator[Done]:
    # A new interpreter for each: this process has threads, which a fork would not take along.
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (source,)) as pool:
        waiting: deque[Future[Done]] = deque()
        try:
            for chunk in source.chunks(size):
                waiting.append(pool.submit(_work, chunk))
                if len(waiting) > AHEAD * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_reader: Reader


def _begin(source: Source) -> None:
    global _reader
    _reader = source.reader()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's matter
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Whoever waits for work does not see that the one who gives it was killed."""
    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _work(chunk: Chunk) -> Done:
    return work(_reader, chunk)
